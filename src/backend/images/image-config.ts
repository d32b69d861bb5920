/** What an image says of the process that it is for, whichever format it is kept in. */
export interface ImageConfig {
  env: string[];
  user: string;
  workdir: string;
  entrypoint: string[];
  cmd: string[];
}
