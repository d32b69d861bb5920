/** The first steps that VS Code's Welcome page offers. */
import type { CommandId } from './commands';
import { viewIds, walkthroughStart, type ContextKey } from '../ids';

const command = (id: CommandId): string => `onCommand:${id}`;
const context = (key: ContextKey): string => `onContext:${key}`;

/** What ticks off each step. Its texts are `%walkthrough.STEP.…%`, its picture is media/walkthrough/STEP.svg. */
const steps = {
  create: [
    command('berth.workspace.create'),
    command('berth.workspace.createQuick'),
    context('berth.hasWorkspaces'),
  ],
  open: [command('berth.workspace.open'), command('berth.workspace.openInNewWindow')],
  terminal: [command('berth.workspace.openTerminal')],
  files: [`onView:${viewIds.volumes}`],
  stop: [command('berth.workspace.stop')],
  doctor: [command('berth.engine.doctor')],
};

export const walkthroughs = [
  {
    id: walkthroughStart,
    title: '%walkthrough.title%',
    description: '%walkthrough.description%',
    steps: Object.entries(steps).map(([id, completionEvents]) => ({
      id,
      title: `%walkthrough.${id}.title%`,
      description: `%walkthrough.${id}.description%`,
      media: { svg: `media/walkthrough/${id}.svg`, altText: `%walkthrough.${id}.alt%` },
      completionEvents,
    })),
  },
];
