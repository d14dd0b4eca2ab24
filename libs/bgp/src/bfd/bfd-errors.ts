import { defineError } from '@isthmus/core';

/** A socket of a session could not be had. */
export const BFD_SOCKET = defineError(
  'BFD_SOCKET',
  'A socket for a BFD session could not be opened. It is tried again every second.',
  'Check that the local address and the interface are there, and that no other BFD daemon holds UDP port 3784 or 4784 on this address.',
);
