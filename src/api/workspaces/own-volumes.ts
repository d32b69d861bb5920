/** The volumes that a workspace has to itself, and that go with it: home, Docker's data, a fork's copies of named ones. */
export function ownVolumesOf({
  homeVolume,
  dockerVolume,
  forkedFrom,
}: {
  homeVolume: string;
  dockerVolume?: string | undefined;
  forkedFrom?: { volumes?: readonly { volume: string }[] | undefined } | undefined;
}): string[] {
  const copies = (forkedFrom?.volumes ?? []).map(({ volume }) => volume);
  return [homeVolume, ...(dockerVolume === undefined ? [] : [dockerVolume]), ...copies];
}
