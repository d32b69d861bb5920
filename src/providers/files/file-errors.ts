/** The engine's errors as the file system errors that VS Code understands. */
import * as vscode from 'vscode';
import { asBerthError } from '../../api';

/** The error that VS Code knows best for what was thrown. */
export function fileSystemError(thrown: unknown, uri: vscode.Uri): vscode.FileSystemError {
  if (thrown instanceof vscode.FileSystemError) {
    return thrown;
  }
  const error = asBerthError(thrown);
  const text = [error.message, error.hint].filter(Boolean).join(' ');
  switch (error.code) {
    case 'path_not_found':
    case 'not_found':
      // VS Code probes for many files that aren't there, and compares by the URI.
      return vscode.FileSystemError.FileNotFound(uri);
    case 'path_exists':
    case 'exists':
      return vscode.FileSystemError.FileExists(uri);
    case 'not_a_directory':
      return vscode.FileSystemError.FileNotADirectory(uri);
    case 'is_a_directory':
      return vscode.FileSystemError.FileIsADirectory(uri);
    case 'path_escapes':
    case 'read_only':
    case 'forbidden':
      return vscode.FileSystemError.NoPermissions(text);
    case 'runtime_unavailable':
    case 'timeout':
    case 'capacity':
    case 'gone':
      return vscode.FileSystemError.Unavailable(text);
    default:
      return new vscode.FileSystemError(text);
  }
}
