import { expect, it } from 'vitest';
import { createThrottle } from './throttle';

it('lets the first report through, and another only after the time', () => {
  let time = 5;
  const due = createThrottle(100, () => time);
  const at = (now: number) => {
    time = now;
    return due();
  };
  expect([5, 6, 104, 105, 106, 204, 400].map(at)).toEqual([true, false, false, true, false, false, true]);
});
