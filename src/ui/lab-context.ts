import { createContext, use } from 'react';
import { useStore } from 'zustand';
import type { LabState } from './core/lab-state';
import type { Lab } from './lab';

export const LabContext = createContext<Lab | null>(null);

export function useLab(): Lab {
  const lab = use(LabContext);
  if (!lab) throw new Error('The lab is not open: LabContext has no value.');
  return lab;
}

/** A part of the lab's state; the component renders again when that part changes. */
export function useLabState<Part>(select: (state: LabState) => Part): Part {
  return useStore(useLab().store, select);
}
