// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Never loaded. Its BTF describes every struct and enum that crosses into userspace;
 * scripts/generate-layouts.ts turns each variable's type below into TypeScript.
 */
#include "lib/event.h"
#include "lib/identity.h"
#include "lib/mark.h"
#include "lib/maps.h"
#include "lib/metrics.h"
#include "lib/reason.h"

struct addr_key layout_addr_key;
struct endpoint_value layout_endpoint_value;
struct ipcache_key layout_ipcache_key;
struct ipcache_value layout_ipcache_value;
struct peer_value layout_peer_value;
struct mesh_range_value layout_mesh_range_value;
struct encrypt_exempt_key layout_encrypt_exempt_key;
struct service_key layout_service_key;
struct service_value layout_service_value;
struct backend_value layout_backend_value;
struct revnat_value layout_revnat_value;
struct sock_nat_key layout_sock_nat_key;
struct sock_nat_value layout_sock_nat_value;
struct metric_key layout_metric_key;
struct metric_value layout_metric_value;
struct datapath_event layout_datapath_event;
struct event_socket layout_event_socket;
struct datapath_config layout_datapath_config;

enum addr_family layout_addr_family;
enum config_flag layout_config_flag;
enum direction layout_direction;
enum drop_reason layout_drop_reason;
enum endpoint_flag layout_endpoint_flag;
enum event_constant layout_event_constant;
enum event_flag layout_event_flag;
enum event_type layout_event_type;
enum ipcache_constant layout_ipcache_constant;
enum ipcache_flag layout_ipcache_flag;
enum map_limit layout_map_limit;
enum mark_bits layout_mark_bits;
enum metric_reason layout_metric_reason;
enum peer_mode layout_peer_mode;
enum peer_tx layout_peer_tx;
enum reserved_identity layout_reserved_identity;
enum sock_nat_direction layout_sock_nat_direction;
enum socket_event layout_socket_event;
enum trace_point layout_trace_point;
