/** Label of an EndpointSlice: the service that it belongs to. */
export const SLICE_SERVICE = 'kubernetes.io/service-name';
/** Label of an EndpointSlice: who writes it. */
export const SLICE_MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
/** The operator's value of {@link SLICE_MANAGED_BY}. */
export const OPERATOR_NAME = 'isthmus-operator';
