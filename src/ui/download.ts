/** Hands a file to the visitor, as a download. */
export function download(fileName: string, content: BlobPart, type: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = fileName;
  link.click();
  // The browser has taken the file over once the click is handled; later is safe on slow ones too.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
