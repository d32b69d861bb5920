/** What helps against an error, as a button beside "Show Log". */
export interface RemedyButton {
  title: string;
  run: () => Thenable<unknown>;
}
