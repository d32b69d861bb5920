import assert from 'node:assert/strict';
import { ClockWatch } from '../../../../../../src/backend/drivers/microvms/machines/clock-watch';

describe('the watch over the time of day', () => {
  it('tells of each jump once, and of nothing else', () => {
    let [wall, steady] = [1_000_000, 0];
    const jumps: number[] = [];
    const watch = new ClockWatch((ms) => jumps.push(ms), { wall: () => wall, steady: () => steady });
    const pass = (ofDay: number, ofWork = ofDay): void => {
      [wall, steady] = [wall + ofDay, steady + ofWork];
      watch.look();
    };
    pass(5_000);
    pass(5_400, 5_000);
    assert.deepEqual(jumps, []);
    // Slept for an hour.
    pass(3_605_000, 5_000);
    pass(5_000);
    // Somebody set the clock back.
    pass(-60_000, 0);
    pass(5_000);
    watch.close();
    assert.deepEqual(jumps, [3_600_400, -60_000]);
  });

  it('tells of a sleep that both clocks have counted, by its own lateness, and not of a busy machine', () => {
    let now = 1_000_000;
    const jumps: number[] = [];
    const watch = new ClockWatch((ms) => jumps.push(ms), { wall: () => now, steady: () => now });
    for (const ms of [5_000, 12_000, 3_605_000, 5_000]) {
      now += ms;
      watch.look();
    }
    watch.close();
    assert.deepEqual(jumps, [3_600_000]);
  });
});
