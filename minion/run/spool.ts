import { join } from 'node:path';
import type { Report } from '../../protocol/report.ts';
import { writeDurably } from '../host/durable-file.ts';

/**
 * Keeps a report until the master has it: on disk before anybody is told that the run has ended.
 * A dry run that somebody made on the machine itself is for nobody else.
 */
export function spoolReport(stateDirectory: string, report: Report): void {
  if (report.dryRun && report.cause === 'local') return;
  writeDurably(join(stateDirectory, 'spool', `${report.job}.json`), JSON.stringify(report));
}
