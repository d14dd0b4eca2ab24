import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

/** `struct sock_fprog` of linux/filter.h: a pointer in a structure is koffi's to fill in. Without a name, which would be taken when loaded twice. */
const filterProgram = koffi.struct({ count: 'uint16_t', program: 'const void *' });

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
  /** setsockopt of a classic BPF program; `length` is that of `struct sock_fprog`, 16. */
  setFilter: libc.func('setsockopt', 'int', ['int', 'int', 'int', koffi.pointer(filterProgram), 'uint32_t']) as (
    fd: number,
    level: number,
    option: number,
    value: { readonly count: number; readonly program: Uint8Array },
    length: number,
  ) => number,
  getsockopt: libc.func('int getsockopt(int fd, int level, int option, void *value, void *length)') as (
    fd: number,
    level: number,
    option: number,
    value: Uint8Array,
    length: Uint8Array,
  ) => number,
  connect: libc.func('int connect(int fd, const void *address, uint32_t length)') as (
    fd: number,
    address: Uint8Array,
    length: number,
  ) => number,
  send: libc.func('long send(int fd, const void *bytes, size_t length, int flags)') as (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
  ) => number,
  /** `parameters` is a `struct sched_param`: one int, the priority. */
  schedSetscheduler: libc.func('int sched_setscheduler(int thread, int policy, const void *parameters)') as (
    thread: number,
    policy: number,
    parameters: Uint8Array,
  ) => number,
  /** `limit` is a `struct rlimit`: the soft and the hard limit, 64 bits each. */
  setrlimit: libc.func('int setrlimit(int resource, const void *limit)') as (resource: number, limit: Uint8Array) => number,
  /** 0 when there is no interface of that name. */
  ifNameToIndex: libc.func('unsigned int if_nametoindex(const char *name)') as (name: string) => number,
  strerror: libc.func('const char *strerror(int number)') as (number: number) => string,
};

/** The number of the last failed call on this thread. */
export function errno(): number {
  return koffi.errno();
}
