/** A kernel's sizes by the names of its WGSL struct, in camel case (`weight_offset` is `weightOffset`). */
export type Uniforms = Readonly<Record<string, number | boolean | readonly number[]>>;

interface UniformField {
  name: string;
  type: 'u32' | 'f32' | 'vec4u';
  /** First 32-bit word in the struct. */
  word: number;
}

const structs = new Map<string, readonly UniformField[]>();

/** The fields of the struct that a shader declares at binding 0, in its order; none without such a binding. */
export function uniformFields(code: string): readonly UniformField[] {
  const known = structs.get(code);
  if (known) return known;
  const fields = readStruct(code.replace(/\/\/[^\n]*/g, ''));
  structs.set(code, fields);
  return fields;
}

function readStruct(source: string): UniformField[] {
  const binding = /@group\(0\)\s*@binding\(0\)\s*var<uniform>\s*\w+\s*:\s*(\w+)/.exec(source);
  if (!binding) return [];
  const struct = new RegExp(`\\bstruct\\s+${binding[1]}\\s*\\{([^}]*)\\}`).exec(source);
  if (!struct) throw new Error(`WGSL declares no struct ${binding[1]}`);
  const members = struct[1]!.split(',').map((member) => member.trim());
  let word = 0;
  return members.filter(Boolean).map((member) => {
    const match = /^(\w+)\s*:\s*(u32|f32|vec4u)$/.exec(member);
    if (!match) throw new Error(`a uniform struct has u32, f32 and vec4u only, not ${member}`);
    const name = match[1]!.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const field = { name, type: match[2] as UniformField['type'], word };
    word += wordsOf(field);
    if (field.type === 'vec4u' && field.word % 4 !== 0) {
      throw new Error(`${member} would be padded: vectors come first in a uniform struct`);
    }
    return field;
  });
}

const wordsOf = ({ type }: Pick<UniformField, 'type'>) => (type === 'vec4u' ? 4 : 1);

/**
 * The 32-bit words of a kernel's uniform struct: each value goes to the place and into the type that the shader
 * gives its name. A boolean is a u32 of 0 or 1, an array of four a vec4u.
 *
 * @throws when a field has no value, a value no field, or a field a value that its type does not have.
 */
export function packUniforms(label: string, code: string, values: Uniforms): Uint32Array {
  const fields = uniformFields(code);
  const names = fields.map(({ name }) => name);
  const missing = names.filter((name) => !(name in values));
  if (missing.length > 0) throw new Error(`${label}: no value for the uniforms ${missing.join(', ')}`);
  const unknown = Object.keys(values).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`${label}: the shader has no uniforms ${unknown.join(', ')}`);
  const words = new Uint32Array(fields.reduce((sum, field) => sum + wordsOf(field), 0));
  const floats = new Float32Array(words.buffer);
  for (const field of fields) {
    const { name, type, word } = field;
    const numbers = [values[name]!].flat().map(Number);
    if (type === 'f32') floats.set(numbers, word);
    else words.set(numbers, word);
    const fits = type === 'f32' || numbers.every((value, i) => words[word + i] === value);
    if (numbers.length !== wordsOf(field) || !fits) {
      throw new Error(`${label}: ${name} is ${numbers.join(', ')}, which is no ${type}`);
    }
  }
  return words;
}
