import type { ServicePortRow } from '@isthmus/model';
import { matchPort } from './port-match.ts';

const tcp = (name: string, port: number): ServicePortRow => ({ name, protocol: 'TCP', port });
const udp = (name: string, port: number): ServicePortRow => ({ name, protocol: 'UDP', port });

describe('matchPort', () => {
  it('goes by name and protocol; the number is the backend cluster’s', () => {
    const ports = [tcp('http', 80), tcp('admin', 81), udp('dns', 53)];
    expect(matchPort(ports[0]!, ports, [tcp('admin', 9001), tcp('http', 9000)])).toEqual(tcp('http', 9000));
    expect(matchPort(ports[2]!, ports, [tcp('dns', 9053)])).toBeUndefined();
    expect(matchPort(ports[0]!, ports, [tcp('web', 9000)])).toBeUndefined();
  });

  it('takes the only one of the protocol where one side has no name', () => {
    expect(matchPort(tcp('', 80), [tcp('', 80)], [tcp('', 8080)])).toEqual(tcp('', 8080));
    const unnamed = [tcp('', 80), udp('dns', 53)];
    expect(matchPort(unnamed[0]!, unnamed, [udp('dns', 53), tcp('http', 8080)])).toEqual(tcp('http', 8080));
    const named = [tcp('http', 80)];
    expect(matchPort(named[0]!, named, [tcp('', 8080)])).toEqual(tcp('', 8080));
  });

  it('guesses nothing where there is a choice, or where both names differ', () => {
    const one = [tcp('', 80)];
    expect(matchPort(one[0]!, one, [tcp('a', 1), tcp('b', 2)])).toBeUndefined();
    const two = [tcp('a', 80), tcp('b', 81)];
    expect(matchPort(two[0]!, two, [tcp('', 1)])).toBeUndefined();
    const named = [tcp('a', 80)];
    expect(matchPort(named[0]!, named, [tcp('b', 1)])).toBeUndefined();
  });
});
