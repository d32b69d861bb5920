import * as vscode from 'vscode';
import type { Handler, Services } from '../command';
import { pickPort } from './pick';

/** Opens a published port in the browser; in a remote VS Code that forwards it as well. */
export const openPort =
  (services: Pick<Services, 'link' | 'store'>): Handler =>
  async (target) => {
    const { host } = await pickPort(services, target);
    await vscode.env.openExternal(vscode.Uri.parse(`http://127.0.0.1:${host}/`));
  };
