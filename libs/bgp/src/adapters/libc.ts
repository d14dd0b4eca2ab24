import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

/** The calls into the C library that sockets need before Node takes them over. On failure they answer -1: read {@link errno} at once. */
export const libcCalls = {
  socket: libc.func('int socket(int domain, int type, int protocol)') as (domain: number, type: number, protocol: number) => number,
  close: libc.func('int close(int fd)') as (fd: number) => number,
  bind: libc.func('int bind(int fd, const void *address, uint32_t length)') as (fd: number, address: Uint8Array, length: number) => number,
  setsockopt: libc.func('int setsockopt(int fd, int level, int option, const void *value, uint32_t length)') as (
    fd: number,
    level: number,
    option: number,
    value: Uint8Array,
    length: number,
  ) => number,
  /** 0 when there is no interface of that name. */
  ifNameToIndex: libc.func('unsigned int if_nametoindex(const char *name)') as (name: string) => number,
  strerror: libc.func('const char *strerror(int number)') as (number: number) => string,
};

/** The number of the last failed call on this thread. */
export function errno(): number {
  return koffi.errno();
}
