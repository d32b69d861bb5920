/** A log that keeps its lines for the test. */
export interface QuietLog {
  lines: string[];
  isShown: boolean;
  info(message: string): void;
  warn(message: string): void;
  error(message: string | Error): void;
  show(): void;
}

export function quietLog(): QuietLog {
  const log: QuietLog = {
    lines: [],
    isShown: false,
    info: (message) => log.lines.push(`info: ${message}`),
    warn: (message) => log.lines.push(`warn: ${message}`),
    error: (message) => log.lines.push(`error: ${String(message)}`),
    show: () => (log.isShown = true),
  };
  return log;
}
