/** Containers of ours that work on volumes: they can do nothing else, and go when nobody works in them. */
import type Dockerode from 'dockerode';
import { mebibyte } from '../../../../api/rules/sizes';

const busybox = '/.berth/bin/busybox';

/**
 * The first process: sleeps without waking up, ends by SIGTERM, and by itself when no agent has come (the engine died
 * in between). The name `berth-keeper` is what the agent knows it by.
 */
const waitingProcess = [
  busybox,
  'sh',
  '-c',
  `trap 'exit 0' TERM
${busybox} sleep 60 & wait $!
${busybox} pidof python3 >/dev/null || exit 0
${busybox} sleep infinity & wait $!`,
  'berth-keeper',
];

export interface ConfinedPlan {
  image: string;
  name?: string;
  labels: Record<string, string>;
  /** All others are taken away. */
  capabilities: string[];
  pids: number;
  memoryMiB: number;
  /** When its first process has ended. */
  removesItself?: boolean;
  /** Its first process, which ends when its one input does; without it, one that waits. */
  command?: readonly string[];
  mounts: readonly VolumeMount[];
}

export interface VolumeMount {
  volume: string;
  target: string;
  isReadOnly: boolean;
}

/** No network, nothing to write to but its volumes, no log. What works in it is its command, or is started by an exec. */
export function confined(plan: ConfinedPlan): Dockerode.ContainerCreateOptions {
  return {
    ...(plan.name !== undefined && { name: plan.name }),
    Image: plan.image,
    Entrypoint: [...(plan.command ?? waitingProcess)],
    Cmd: [],
    ...(plan.command !== undefined && { OpenStdin: true, StdinOnce: true }),
    User: '0:0',
    WorkingDir: '/',
    NetworkDisabled: true,
    StopSignal: 'SIGTERM',
    Labels: plan.labels,
    HostConfig: {
      AutoRemove: plan.removesItself === true,
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      CapAdd: plan.capabilities,
      SecurityOpt: ['no-new-privileges'],
      PidsLimit: plan.pids,
      Memory: plan.memoryMiB * mebibyte,
      LogConfig: { Type: 'none', Config: {} },
      Mounts: plan.mounts.map(({ volume, target, isReadOnly }) => ({
        ...{ Type: 'volume', Source: volume, Target: target, ReadOnly: isReadOnly, VolumeOptions: noCopy() },
      })),
    },
  };
}

/** Of a mount that is filled with nothing of the image. The types want all three; Docker takes what it gets. */
function noCopy(): {
  NoCopy: boolean;
  Labels: Record<string, string>;
  DriverConfig: { Name: string; Options: Record<string, string> };
} {
  return { NoCopy: true, Labels: {}, DriverConfig: { Name: '', Options: {} } };
}
