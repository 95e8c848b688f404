/** SHA-256 in lower-case hexadecimal; null where there are no digests: browsers have them in secure contexts only. */
export async function sha256Of(bytes: BufferSource): Promise<string | null> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (!subtle) return null;
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
