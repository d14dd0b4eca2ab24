import { pathToFileURL } from 'node:url';
import { end, say, start, textOf, uptime } from './machine.ts';
import { runFile } from './runner.ts';
import { SPECS } from './specs.ts';

start();
for (const file of SPECS) {
  const started = uptime();
  try {
    await runFile(pathToFileURL(file).href, (name, error) =>
      say({ kind: 'test', file, name, ...(error === undefined ? {} : { error: textOf(error) }) }),
    );
  } catch (error) {
    say({ kind: 'test', file, name: 'the file itself', error: textOf(error) });
  }
  say({ kind: 'file', file, seconds: uptime() - started });
}
end();
