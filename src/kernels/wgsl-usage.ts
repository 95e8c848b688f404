import type { Kernel } from '../gpu/program';

/**
 * What one entry point asks of a device, read from the declarations in its WGSL: a reading for tests that is
 * independent of the compiler, of the subset that the lab's shaders use. @throws on what it does not understand.
 */
export interface WgslUsage {
  /** Binding numbers of group 0 that the entry point reaches, directly or through functions. */
  uniformBindings: number[];
  storageBindings: number[];
  workgroupBytes: number;
  invocations: number;
}

/** Every `@compute` entry point of a shader, in order. */
export function entryPointsOf(code: string): string[] {
  return [...withoutComments(code).matchAll(/@compute[^{;]*?\bfn\s+(\w+)/g)].map((match) => match[1]!);
}

export function usageOf({ code, entryPoint }: Kernel): WgslUsage {
  const source = withoutComments(code);
  const constants = definitions(source, /^\s*const\s+(\w+)\s*(?::\s*\w+\s*)?=\s*([^;]+);/gm);
  const aliases = definitions(source, /^\s*alias\s+(\w+)\s*=\s*([^;]+);/gm);
  const evaluate = (expression: string) => evaluateExpression(expression, constants);
  const reached = reachableText(source, entryPoint);
  // Not as a member, as `x` of a vector is.
  const reaches = (name: string) => new RegExp(`(?<!\\.)\\b${name}\\b`).test(reached);

  const usage: WgslUsage = { uniformBindings: [], storageBindings: [], workgroupBytes: 0, invocations: 0 };
  const variables =
    /(?:@group\(0\)\s*@binding\((\d+)\)\s*)?var<\s*(uniform|storage|workgroup)[^>]*>\s*(\w+)\s*:\s*([^;]+);/g;
  for (const [, binding, space, name, type] of source.matchAll(variables)) {
    if (!reaches(name!)) continue;
    if (space === 'workgroup') usage.workgroupBytes += byteSize(type!.trim(), aliases, evaluate);
    else usage[space === 'uniform' ? 'uniformBindings' : 'storageBindings'].push(Number(binding));
  }
  const size = new RegExp(`@workgroup_size\\(([^\\n]*)\\)\\s*fn\\s+${entryPoint}\\b`).exec(source);
  if (!size) throw new Error(`${entryPoint} has no workgroup size`);
  usage.invocations = splitArguments(size[1]!)
    .map(evaluate)
    .reduce((a, b) => a * b, 1);
  return usage;
}

function withoutComments(code: string): string {
  return code.replace(/\/\/[^\n]*/g, '');
}

function definitions(source: string, pattern: RegExp): Map<string, string> {
  return new Map([...source.matchAll(pattern)].map((match) => [match[1]!, match[2]!.trim()]));
}

/** The bodies of an entry point and of every function it can reach. */
function reachableText(source: string, entryPoint: string): string {
  const bodies = new Map<string, string>();
  for (const match of source.matchAll(/\bfn\s+(\w+)/g)) {
    let at = source.indexOf('{', match.index);
    const start = at;
    let depth = 0;
    do {
      if (source[at] === '{') depth++;
      if (source[at] === '}') depth--;
      at++;
    } while (depth > 0 && at < source.length);
    bodies.set(match[1]!, source.slice(start, at));
  }
  const seen = new Set<string>();
  const visit = (name: string): string => {
    if (seen.has(name)) return '';
    seen.add(name);
    const body = bodies.get(name);
    if (body === undefined) throw new Error(`no function ${name}`);
    const called = [...body.matchAll(/\b(\w+)\s*\(/g)].map((match) => match[1]!);
    return (
      body +
      called
        .filter((f) => bodies.has(f))
        .map(visit)
        .join('\n')
    );
  };
  return visit(entryPoint);
}

/** Size of a variable of this type in workgroup memory. */
function byteSize(
  type: string,
  aliases: ReadonlyMap<string, string>,
  evaluate: (expression: string) => number,
): number {
  const array = /^array<(.*)>$/s.exec(type);
  if (array) {
    const [element, count] = splitArguments(array[1]!);
    return byteSize(element!, aliases, evaluate) * evaluate(count!);
  }
  const alias = aliases.get(type);
  if (alias) return byteSize(alias, aliases, evaluate);
  if (/^(f32|u32|i32|atomic<[ui]32>)$/.test(type)) return 4;
  const vector = /^vec([234])[fui]$/.exec(type);
  // A vec3 is aligned to 16 bytes.
  if (vector) return vector[1] === '2' ? 8 : 16;
  throw new Error(`size of ${type} is not known`);
}

/** Splits at the commas that are outside brackets. */
function splitArguments(list: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const character of list) {
    if (character === '(' || character === '<') depth++;
    if (character === ')' || (character === '>' && depth > 0)) depth--;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** Integer arithmetic of constant expressions: + − * / > < ( ), select and the module's constants. */
function evaluateExpression(expression: string, constants: ReadonlyMap<string, string>): number {
  const tokens = expression.match(/\d+|[A-Za-z_]\w*|[-+*/()<>,]/g) ?? [];
  // Suffixes of literals (64u) come out as their own token behind the digits.
  const words = tokens.filter((token, i) => !(/^[uif]$/.test(token) && /^\d+$/.test(tokens[i - 1] ?? '')));
  let at = 0;
  const expect = (token: string) => {
    if (words[at++] !== token) throw new Error(`expected ${token} in ${expression}`);
  };
  const primary = (): number => {
    const word = words[at++] ?? '';
    if (/^\d+$/.test(word)) return Number(word);
    if (word === '(') {
      const value = comparison();
      expect(')');
      return value;
    }
    if (word === 'select') {
      expect('(');
      const whenFalse = comparison();
      expect(',');
      const whenTrue = comparison();
      expect(',');
      const condition = comparison();
      expect(')');
      return condition ? whenTrue : whenFalse;
    }
    const constant = constants.get(word);
    if (constant === undefined) throw new Error(`${word} in ${expression} is not known`);
    return evaluateExpression(constant, constants);
  };
  const binary = (
    next: () => number,
    operators: Readonly<Record<string, (a: number, b: number) => number>>,
  ) => {
    let value = next();
    for (let apply = operators[words[at] ?? '']; apply; apply = operators[words[at] ?? '']) {
      at++;
      value = apply(value, next());
    }
    return value;
  };
  const product = () => binary(primary, { '*': (a, b) => a * b, '/': (a, b) => Math.trunc(a / b) });
  const sum = () => binary(product, { '+': (a, b) => a + b, '-': (a, b) => a - b });
  const comparison = (): number => binary(sum, { '>': (a, b) => +(a > b), '<': (a, b) => +(a < b) });
  const value = comparison();
  if (at !== words.length) throw new Error(`cannot read ${expression}`);
  return value;
}
