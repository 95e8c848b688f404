import { useEffect, useState } from 'react';
import { type ModelCard, readFamily } from '../data/model-family';
import { readSite } from './site-files';

type Family = { cards: readonly ModelCard[] } | { message: string } | null;

/** The cards of the model with these weights and of its relatives, loaded when a component first wants them; null while they load. */
export function useFamily(weightsSha256: string | null): Family {
  const [family, setFamily] = useState<Family>(null);
  useEffect(() => {
    let wanted = true;
    const tell = (value: Family) => wanted && setFamily(value);
    tell(null);
    readFamily(readSite, weightsSha256).then(
      (cards) => tell({ cards }),
      (error: unknown) => tell({ message: error instanceof Error ? error.message : String(error) }),
    );
    return () => {
      wanted = false;
    };
  }, [weightsSha256]);
  return family;
}
