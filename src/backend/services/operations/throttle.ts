/** Calls `run` at most once every `ms`, the last request included, until stopped. */
export function throttle(ms: number, run: () => void): { request: () => void; stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  const fire = () => {
    timer = undefined;
    last = performance.now();
    run();
  };
  return {
    request: () => {
      if (timer !== undefined) {
        return;
      }
      const wait = last + ms - performance.now();
      if (wait <= 0) {
        fire();
      } else {
        timer = setTimeout(fire, wait);
      }
    },
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
