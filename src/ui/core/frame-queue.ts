/**
 * Collects items and hands them over together once a frame, so that a burst of reports costs one render.
 * A hidden page draws no frames: there a timer takes over, or the queue would grow for hours.
 */
export function createFrameQueue<Item>(flush: (items: Item[]) => void) {
  let items: Item[] = [];
  let waiting = false;
  const run = () => {
    waiting = false;
    const batch = items;
    items = [];
    if (batch.length) flush(batch);
  };
  return (item: Item): void => {
    items.push(item);
    if (waiting) return;
    waiting = true;
    if (typeof document === 'undefined' || document.visibilityState === 'hidden') setTimeout(run, 50);
    else {
      // Whichever comes first: a page that goes hidden in between would never get its frame.
      const timer = setTimeout(() => waiting && run(), 250);
      requestAnimationFrame(() => {
        clearTimeout(timer);
        if (waiting) run();
      });
    }
  };
}
