import { useEffect, useRef, useState } from 'react';

/** A live region that changes with every step would never let a screen reader finish a sentence. */
const STEADY_MS = 2000;

/** `text`, at once when the phase changes and otherwise at most every two seconds. */
export function useSteadyText(text: string, phase: string): string {
  const [shown, setShown] = useState({ text, phase });
  const last = useRef(0);
  useEffect(() => {
    const wait = shown.phase === phase ? Math.max(0, last.current + STEADY_MS - performance.now()) : 0;
    const timer = setTimeout(() => {
      last.current = performance.now();
      setShown({ text, phase });
    }, wait);
    return () => clearTimeout(timer);
  }, [text, phase, shown.phase]);
  return shown.text;
}
