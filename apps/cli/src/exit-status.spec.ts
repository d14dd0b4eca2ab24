import { CodedError, errorCodes } from '@isthmus/core';
import '@isthmus/crypto';
import '@isthmus/kvstore';
import '@isthmus/model';
import './cli.errors.ts';
import { EXIT, exitStatusOf } from './exit-status.ts';
import { errorText } from './output/report-error.ts';

const coded = (code: string): CodedError => new CodedError({ code, meaning: '', action: 'Do this.' }, 'it broke', { object: 'thing' });

it.each([
  ['CLI_USAGE', EXIT.usage],
  ['KV_UNREACHABLE', EXIT.notReady],
  ['JOIN_API_UNREACHABLE', EXIT.notReady],
  ['JOIN_API_UNTRUSTED', EXIT.refused],
  ['JOIN_POD_CIDRS_OVERLAP', EXIT.refused],
  ['TOKEN_USED', EXIT.refused],
  ['KV_PERMISSION', EXIT.refused],
  ['JOIN_NOT_CONNECTED', EXIT.notFound],
  ['RESOURCE_NOT_FOUND', EXIT.notFound],
  ['JOIN_INTERNAL', EXIT.failed],
  ['RESOURCE_INVALID', EXIT.failed],
  ['NEVER_HEARD_OF', EXIT.failed],
])('%s ends with %i', (code, status) => {
  expect(exitStatusOf(coded(code))).toBe(status);
});

it('takes the first of several errors, and 1 for what has no code', () => {
  expect(exitStatusOf(new AggregateError([coded('TOKEN_USED'), coded('CLI_USAGE')]))).toBe(EXIT.refused);
  expect(exitStatusOf(new TypeError('x'))).toBe(EXIT.failed);
});

it('knows only codes that exist', () => {
  const known = new Set(errorCodes().map(({ code }) => code));
  for (const code of [
    'CLI_NOT_READY',
    'CLI_AGENT_DOWN',
    'KV_TIMEOUT',
    'KV_OVERLOADED',
    'KV_UNAUTHENTICATED',
    'CA_PIN_MISMATCH',
    'JOIN_API_ANSWER',
  ])
    expect(known).toContain(code);
});

it('prints object, message and what to do, and no cause', () => {
  expect(errorText(coded('X'))).toBe('error: X thing: it broke\n  what to do: Do this.\n');
  expect(errorText(new CodedError({ code: 'X', meaning: '', action: 'Do.' }, 'm', { cause: new Error('hunter2') }))).not.toContain(
    'hunter2',
  );
  expect(errorText(Object.assign(new Error('no space'), { code: 'ENOSPC' }))).toBe('error: ENOSPC: no space\n');
});
