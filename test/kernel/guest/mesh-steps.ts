/** What is done in the machine with a lab, in this order: it is brought up, and these of its checks are run. */
export const MESH_STEPS = ['up', 'encrypted', 'no-loss-while-keys-rotate', 'no-loss-while-agents-die-in-rotations'] as const;
