import { defineError } from '@isthmus/core';

/** The address for health and metrics, or that of the join API, cannot be used. */
export const APISERVER_LISTEN = defineError(
  'APISERVER_LISTEN',
  'The clustermesh-apiserver cannot listen on one of its addresses.',
  'Set the named key to a free host:port, or end the process that has it.',
);

/** The setting that makes a cluster part of a mesh is missing. */
export const APISERVER_SETTING = defineError(
  'APISERVER_SETTING',
  'A setting that the clustermesh-apiserver needs is missing or cannot be.',
  'Set the named key; the message says to what.',
);
