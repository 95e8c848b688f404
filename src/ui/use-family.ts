import { useEffect, useState } from 'react';
import { type ModelCard, readFamily } from '../data/model-family';
import { readSite } from './site-files';

type Family = { cards: readonly ModelCard[] } | { message: string } | null;

/** The cards of a model and of its relatives, loaded when a component first wants them; null while they load. */
export function useFamily(source: string): Family {
  const [family, setFamily] = useState<Family>(null);
  useEffect(() => {
    let wanted = true;
    const tell = (value: Family) => wanted && setFamily(value);
    tell(null);
    readFamily(readSite, source).then(
      (cards) => tell({ cards }),
      (error: unknown) => tell({ message: error instanceof Error ? error.message : String(error) }),
    );
    return () => {
      wanted = false;
    };
  }, [source]);
  return family;
}
