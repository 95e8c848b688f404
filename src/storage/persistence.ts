/**
 * Asks the browser not to clear this origin's storage when the disk runs short; for the page, once there is
 * something to lose. Some browsers ask the user.
 *
 * @returns whether it was granted; false also where nobody can ask.
 */
export async function askForPersistence(): Promise<boolean> {
  const storage = globalThis.navigator?.storage as StorageManager | undefined;
  if (!storage?.persist) return false;
  return (await storage.persisted()) || (await storage.persist());
}
