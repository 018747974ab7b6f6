#!/usr/bin/env node
import { realTerminal } from './cli/terminal.ts';
import { runCommandLine } from './program.ts';

process.exitCode = await runCommandLine(process.argv.slice(2), realTerminal());
