import { defineError } from '@isthmus/core';

/** No credential, or one that does not hold. */
export const JOIN_UNAUTHENTICATED = defineError(
  'JOIN_UNAUTHENTICATED',
  'A call to the join API came without a valid client certificate or token.',
  'Call with the admin certificate of this cluster, or with a one-time token that it made.',
);

/** The credential holds, but not for this. */
export const JOIN_FORBIDDEN = defineError(
  'JOIN_FORBIDDEN',
  'A caller of the join API may not do what it asks.',
  'Use the admin certificate of this cluster; for a join or a node, a token of the right kind.',
);

/** The body of a call is not what the protocol says. */
export const JOIN_REQUEST_INVALID = defineError(
  'JOIN_REQUEST_INVALID',
  'The body of a call to the join API is malformed.',
  'Correct the field that the message names; /openapi.json describes every call.',
);

/** There is no such call. */
export const JOIN_NO_SUCH_CALL = defineError(
  'JOIN_NO_SUCH_CALL',
  'The join API has no such path.',
  'See /openapi.json for the calls that there are.',
);

/** Something broke on the server's side. */
export const JOIN_INTERNAL = defineError(
  'JOIN_INTERNAL',
  'The join API could not do its work.',
  'Look into the log of the clustermesh-apiserver; the call may be repeated.',
);

/** A cluster was asked to join itself, or one of the same name. */
export const JOIN_OWN_NAME = defineError(
  'JOIN_OWN_NAME',
  'The other cluster has the same name as this one.',
  'Give each cluster its own cluster-name.',
);

/** Another cluster already goes by that name. */
export const JOIN_NAME_TAKEN = defineError(
  'JOIN_NAME_TAKEN',
  'A different cluster of the same name is already connected.',
  'Rename one of them; if it is the same cluster set up anew, disconnect the old one first.',
);

/** Two clusters with the same number. */
export const JOIN_ID_TAKEN = defineError(
  'JOIN_ID_TAKEN',
  'Two clusters have the same cluster-id.',
  'Give each cluster of the mesh its own cluster-id; changing one means restarting its agents.',
);

/** The number does not fit the mesh. */
export const JOIN_ID_RANGE = defineError(
  'JOIN_ID_RANGE',
  'A cluster-id is larger than max-connected-clusters.',
  'Choose a cluster-id between 1 and max-connected-clusters.',
);

/** The two divide the identity numbers differently. */
export const JOIN_MESH_SIZE = defineError(
  'JOIN_MESH_SIZE',
  'The clusters disagree about max-connected-clusters.',
  'Set the same max-connected-clusters in every cluster; it is chosen when a cluster is set up.',
);

/** Their nodes would not understand each other's packets. */
export const JOIN_TUNNEL_PROTOCOL = defineError(
  'JOIN_TUNNEL_PROTOCOL',
  'The clusters disagree about tunnel-protocol.',
  'Set the same tunnel-protocol in both clusters, for every process, and connect them then.',
);

/** The keys of the clusters are of epochs too far apart. */
export const JOIN_WIREGUARD_TARGET = defineError(
  'JOIN_WIREGUARD_TARGET',
  'The other cluster is too many epochs of encryption keys ahead: following it would use them up.',
  'See with "isthmus encrypt history" how it came there. A cluster begins anew when its target and all records of keys are deleted while nothing is encrypted.',
);

/** The same pod address could exist in both clusters. */
export const JOIN_POD_CIDRS_OVERLAP = defineError(
  'JOIN_POD_CIDRS_OVERLAP',
  'Pod networks of two clusters overlap.',
  'Give the clusters disjoint pod networks; traffic could not be told apart.',
);

/** The join was not begun here, took too long, or was begun by somebody else. */
export const JOIN_SESSION_UNKNOWN = defineError(
  'JOIN_SESSION_UNKNOWN',
  'A call continues a join that is not under way here.',
  'Begin again with "isthmus clustermesh connect"; a join must be finished within five minutes, by whoever began it.',
);

/** There is no connection to that cluster. */
export const JOIN_NOT_CONNECTED = defineError(
  'JOIN_NOT_CONNECTED',
  'The named cluster is not connected to this one.',
  'See "isthmus clustermesh status" for the clusters that are.',
);

/** A token that names no node was used for a node that exists. */
export const JOIN_NODE_NAME_TAKEN = defineError(
  'JOIN_NODE_NAME_TAKEN',
  'A node of that name already has certificates, and the token does not name it.',
  'Choose another node name, or make a token for this very node to replace it.',
);

/** What is known of a connected cluster is damaged on disk. */
export const JOIN_PEER_UNREADABLE = defineError(
  'JOIN_PEER_UNREADABLE',
  'The file that says what a connected cluster is cannot be read.',
  'Remove the cluster’s files from the clustermesh-config folder and connect it again.',
);
