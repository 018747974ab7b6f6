import { join } from 'node:path';
import type { Report } from '../../protocol/report.ts';
import { fitReport } from '../fit-report.ts';
import { writeDurably } from '../host/durable-file.ts';

/**
 * Keeps a report until the master has it: on disk before anybody is told that the run has ended.
 * A dry run writes nothing: its report only goes to the parent.
 */
export function spoolReport(stateDirectory: string, report: Report): void {
  if (report.dryRun) return;
  const text = JSON.stringify(fitReport(report));
  writeDurably(join(stateDirectory, 'spool', `${report.job}.json`), text);
}
