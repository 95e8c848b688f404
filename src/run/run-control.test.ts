import { describe, expect, it } from 'vitest';
import { createRunControl, isCancellation } from './run-control';

describe('run control', () => {
  it('holds a paused run, lets single steps through, and goes on', async () => {
    const control = createRunControl();
    let steps = 0;
    control.pause();
    const run = (async () => {
      for (let i = 0; i < 5; i++) {
        await control.step();
        steps++;
      }
    })();
    await new Promise((r) => setTimeout(r, 5));
    expect(steps).toBe(0);
    control.allowStep();
    await new Promise((r) => setTimeout(r, 5));
    expect(steps).toBe(1);
    control.resume();
    await run;
    expect(steps).toBe(5);
  });

  it('holds what leaves changes for later, and lets go of what takes them', async () => {
    const control = createRunControl();
    control.pause();
    control.change({ seed: 2 });
    expect(await control.step()).toBe(false);
    let went = false;
    const later = control.step(true).then((may) => (went = may));
    await new Promise((r) => setTimeout(r, 5));
    expect(went).toBe(false);
    control.resume();
    await later;
    expect([went, control.changesWaiting()]).toEqual([true, true]);
  });

  it('says when it holds: once for each wait, and not while what was begun goes on', async () => {
    let held = 0;
    const control = createRunControl({ onHold: () => held++ });
    control.pause();
    expect([control.holds(), held]).toEqual([false, 0]);
    const first = control.step();
    expect([control.holds(), held]).toEqual([true, 1]);
    control.allowStep();
    await first;
    expect([control.holds(), held]).toEqual([false, 1]);
    const second = control.step();
    expect([control.holds(), held]).toEqual([true, 2]);
    control.resume();
    await second;
    expect([control.holds(), held]).toEqual([false, 2]);
  });

  it('throws out of a wait', async () => {
    const control = createRunControl();
    control.pause();
    const waiting = control.step();
    control.cancel();
    await expect(waiting).rejects.toSatisfy(isCancellation);
    await expect(control.work()).rejects.toSatisfy(isCancellation);
  });

  it('does not count paused time', () => {
    let time = 0;
    const control = createRunControl({ now: () => time });
    time = 10;
    control.pause();
    time = 100;
    expect(control.elapsedMs()).toBe(10);
    control.resume();
    time = 105;
    expect(control.elapsedMs()).toBe(15);
  });
});
