import { defineError } from '@isthmus/core';

export const BFD_SOCKET_TAKEN = defineError(
  'BFD_SOCKET_TAKEN',
  'The path of the unix socket of the BFD process is in use: another one answers there, or it is not a socket.',
  'One BFD process runs per node: stop the other one, or set `bfd-socket-path`.',
);
export const BFD_REQUEST = defineError(
  'BFD_REQUEST',
  'A line that came over the socket of the BFD process cannot be read.',
  'Send one JSON object per line, as libs/bgp/src/bfd/bfd-protocol.ts has them; agent and BFD process may be of different versions.',
);
