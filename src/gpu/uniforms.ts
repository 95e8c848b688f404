/** A kernel's sizes by the names of its WGSL struct, in camel case (`weight_offset` is `weightOffset`). */
export type Uniforms = Readonly<Record<string, number | boolean>>;

interface UniformField {
  name: string;
  type: 'u32' | 'f32';
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
  return members.filter(Boolean).map((member) => {
    const field = /^(\w+)\s*:\s*([uf]32)$/.exec(member);
    if (!field) throw new Error(`a uniform struct has 32-bit numbers only, not ${member}`);
    const name = field[1]!.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    return { name, type: field[2] as UniformField['type'] };
  });
}

/**
 * The 32-bit words of a kernel's uniform struct: each value goes to the place and into the type that the shader
 * gives its name. A boolean is a u32 of 0 or 1.
 *
 * @throws when a field has no value, a value no field, or a u32 field something that is no 32-bit count.
 */
export function packUniforms(label: string, code: string, values: Uniforms): Uint32Array {
  const fields = uniformFields(code);
  const names = fields.map(({ name }) => name);
  const missing = names.filter((name) => !(name in values));
  if (missing.length > 0) throw new Error(`${label}: no value for the uniforms ${missing.join(', ')}`);
  const unknown = Object.keys(values).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`${label}: the shader has no uniforms ${unknown.join(', ')}`);
  const words = new Uint32Array(fields.length);
  const floats = new Float32Array(words.buffer);
  fields.forEach(({ name, type }, i) => {
    const value = Number(values[name]);
    if (type === 'f32') {
      floats[i] = value;
    } else {
      words[i] = value;
      if (words[i] !== value) throw new Error(`${label}: ${name} is ${value}, which is no u32`);
    }
  });
  return words;
}
