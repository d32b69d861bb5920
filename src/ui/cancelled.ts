/** Thrown to end a command quietly: the user closed a dialog. */
export class Cancelled extends Error {}
