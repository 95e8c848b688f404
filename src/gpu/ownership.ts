/** Whatever holds GPU memory until it is destroyed. */
export interface Destroyable {
  destroy(): void;
}

/** Keeps what is made one after the other, so that all of it can be given back: at the end, or when a step fails. */
export interface Owner extends Destroyable {
  own<T extends Destroyable>(part: T): T;
}

/**
 * Runs `make` with an owner. When it fails, everything owned so far is destroyed before the error goes on;
 * when it succeeds, the result's `destroy` is the owner's.
 */
export async function makeOwned<T>(make: (owner: Owner) => Promise<T>): Promise<T & Destroyable> {
  const parts: Destroyable[] = [];
  const owner: Owner = {
    own(part) {
      parts.push(part);
      return part;
    },
    destroy() {
      for (const part of parts.splice(0).reverse()) part.destroy();
    },
  };
  try {
    return { ...(await make(owner)), destroy: () => owner.destroy() };
  } catch (error) {
    owner.destroy();
    throw error;
  }
}
