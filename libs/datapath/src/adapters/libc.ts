import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

/**
 * The calls into the C library that this folder makes. Each runs on the calling thread: never use koffi's `.async` form here, its
 * thread would keep whatever network namespace a `setns` left it in. Only {@link pollLater} may: it asks for nothing but descriptors that are open.
 * On failure they answer -1; read {@link errno} at once.
 */
export const libcCalls = {
  open: libc.func('int open(const char *path, int flags)') as (path: string, flags: number) => number,
  close: libc.func('int close(int fd)') as (fd: number) => number,
  setns: libc.func('int setns(int fd, int type)') as (fd: number, type: number) => number,
  eventfd: libc.func('int eventfd(unsigned int value, int flags)') as (value: number, flags: number) => number,
  write: libc.func('intptr_t write(int fd, const void *data, size_t length)') as (fd: number, data: Buffer, length: number) => number,
  socket: libc.func('int socket(int domain, int type, int protocol)') as (domain: number, type: number, protocol: number) => number,
  bind: libc.func('int bind(int fd, const void *address, uint32_t length)') as (fd: number, address: Buffer, length: number) => number,
  setsockopt: libc.func('int setsockopt(int fd, int level, int option, const void *value, uint32_t length)') as (
    fd: number,
    level: number,
    option: number,
    value: Buffer,
    length: number,
  ) => number,
  // Of the requests that take no argument.
  ioctl: libc.func('int ioctl(int fd, unsigned long request)') as (fd: number, request: number) => number,
  ioctlWith: libc.func('int ioctl(int fd, unsigned long request, const void *data)') as (
    fd: number,
    request: number,
    data: Buffer,
  ) => number,
  ioctlNumber: libc.func('int ioctl(int fd, unsigned long request, unsigned long value)') as (
    fd: number,
    request: number,
    value: number,
  ) => number,
  // Of calls that the C library has no name for.
  syscall: libc.func('long syscall(long number, long a, long b, long c)') as (number: number, a: number, b: number, c: number) => number,
  // ssize_t is unknown to koffi: intptr_t has its size on every Linux.
  send: libc.func('intptr_t send(int fd, const void *data, size_t length, int flags)') as (
    fd: number,
    data: Buffer,
    length: number,
    flags: number,
  ) => number,
  recv: libc.func('intptr_t recv(int fd, _Out_ void *data, size_t length, int flags)') as (
    fd: number,
    data: Buffer,
    length: number,
    flags: number,
  ) => number,
};

const poll = libc.func('int poll(void *fds, unsigned long count, int milliseconds)');

/** Waits on another thread until one of the descriptors can be read. @param fds `struct pollfd` of each; must stay as it is meanwhile */
export function pollLater(fds: Buffer, milliseconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    poll.async(fds, fds.length / 8, milliseconds, (error: unknown) => (error ? reject(error) : resolve()));
  });
}

/** The number of the last failed call on this thread. */
export function errno(): number {
  return koffi.errno();
}

/** A C `int`, as a call takes it behind a pointer. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
