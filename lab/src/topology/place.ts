/** Both addresses of something on an underlay. */
export interface Addresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Somewhere to run a process: a network namespace and a cgroup. */
export interface Place {
  /** What people call it: `router`, `r1`, `east/control`, `east/n1`, `east/a1`. */
  readonly id: string;
  readonly netns: string;
  /** Host name inside. */
  readonly hostname: string;
  /** Below the root of cgroup2. */
  readonly cgroup: string;
}
