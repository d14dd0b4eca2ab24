import type { CertificateStatus, Certificates } from '@isthmus/crypto';
import { ageText, spanText } from '../output/ago.ts';
import { type Cell, renderTable } from '../output/print-table.ts';
import { problemText } from '../output/problem-text.ts';

/** How long a certificate is still good, as people read it. @param now wall time, milliseconds since 1970 */
export function lifeCell(certificate: Pick<CertificateStatus, 'state' | 'notAfter' | 'problem'> | undefined, now: number): Cell {
  if (!certificate) return '-';
  const { state, notAfter, problem } = certificate;
  const left = (Date.parse(notAfter) - now) / 1000;
  const text = left < 0 ? `expired ${spanText(-left)} ago` : spanText(left);
  if (state === 'good') return { text, tone: problem ? 'doubtful' : 'good' };
  return { text: state === 'expired' ? text : state === 'unreadable' ? state : `${state}, ${text}`, tone: 'bad' };
}

/** Certificates that are no remote cluster's, then what is wrong with whom. @param now wall time, milliseconds since 1970 */
export function certificatesText({ certificates, refused }: Certificates, now: number, colour = false): string {
  if (certificates.length === 0) return '';
  const rows = certificates.map((each): Cell[] => [each.name, each.use, lifeCell(each, now)]);
  const problems = certificates.map(({ name, problem }) => (problem ? problemText(name, problem) : ''));
  const callers = refused.map(
    ({ name, problem, at, times }) =>
      `refused here: a caller with a certificate for ${name}, ${times} times, last ${ageText(at, now)} ago: ${problem.code}: ${problem.message}\n`,
  );
  return `\n${renderTable(['CERTIFICATE', 'FOR', 'EXPIRES IN'], rows, colour)}${problems.join('')}${callers.join('')}`;
}
