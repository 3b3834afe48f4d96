/* DPDK's two packet filters over frames in memory: BPF compiled to machine code, and rte_acl.
   Built by bench/peers.py where DPDK's headers are installed (Debian: dpdk-dev). */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>
#include <rte_acl.h>
#include <rte_bpf.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_vect.h>

#define BATCH 256

/* DPDK binds the calling thread to one core: give it back, so that others measure as before. */
int dpdk_start(void) {
    char *arguments[] = {"bench", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
                         "-m", "512", "-l", "0", "--log-level=1",
                         "--force-max-simd-bitwidth=512", NULL};
    int count = sizeof arguments / sizeof *arguments - 1;
    cpu_set_t before;
    pthread_getaffinity_np(pthread_self(), sizeof before, &before);
    int done = rte_eal_init(count, arguments);
    pthread_setaffinity_np(pthread_self(), sizeof before, &before);
    return done;
}

/* --- the BPF compiler ------------------------------------------------------------------- */

typedef uint64_t (*filter_t)(void *);

filter_t jit_make(const char *text, int snaplen) {
    struct bpf_program program;
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, snaplen);
    int failed = pcap_compile(dead, &program, text, 1, PCAP_NETMASK_UNKNOWN);
    pcap_close(dead);
    if (failed)
        return NULL;
    struct rte_bpf_prm *wanted = rte_bpf_convert(&program);
    struct rte_bpf *made = wanted ? rte_bpf_load(wanted) : NULL;
    struct rte_bpf_jit jit;
    if (made == NULL || rte_bpf_get_jit(made, &jit) || jit.func == NULL)
        return NULL;
    return jit.func;
}

uint64_t jit_count(filter_t filter, const uint8_t *buffer, const int64_t *offsets,
                   const uint32_t *captured, const uint32_t *lengths, int64_t count) {
    uint64_t accepted = 0;
    struct rte_mbuf frame;
    memset(&frame, 0, sizeof frame);
    frame.nb_segs = 1;
    (void)lengths;
    for (int64_t i = 0; i < count; i++) {
        frame.buf_addr = (void *)(buffer + offsets[i]);
        frame.data_len = captured[i] > 65535 ? 65535 : captured[i];
        frame.pkt_len = frame.data_len;
        accepted += filter(&frame) != 0;
    }
    return accepted;
}

/* --- rte_acl, straight into the frames: protocol, addresses, ports of IPv4 without options -- */

enum { PROTOCOL, SOURCE, DEST, SOURCE_PORT, DEST_PORT, FIELDS };

static const struct rte_acl_field_def fields[FIELDS] = {
    {RTE_ACL_FIELD_TYPE_BITMASK, 1, PROTOCOL, 0, 23}, {RTE_ACL_FIELD_TYPE_MASK, 4, SOURCE, 1, 26},
    {RTE_ACL_FIELD_TYPE_MASK, 4, DEST, 2, 30},        {RTE_ACL_FIELD_TYPE_RANGE, 2, SOURCE_PORT, 3, 34},
    {RTE_ACL_FIELD_TYPE_RANGE, 2, DEST_PORT, 3, 36},
};

RTE_ACL_RULE_DEF(acl_rule, FIELDS);

/* rules: of each protocol (0: any), destination, its prefix length, first and last port. */
struct rte_acl_ctx *acl_make(const char *name, const uint32_t *rules, int count) {
    struct rte_acl_param param = {name, SOCKET_ID_ANY, RTE_ACL_RULE_SZ(FIELDS), (uint32_t)count};
    struct rte_acl_ctx *context = rte_acl_create(&param);
    struct rte_acl_config config;
    if (context == NULL)
        return NULL;
    for (int i = 0; i < count; i++, rules += 5) {
        struct acl_rule rule;
        memset(&rule, 0, sizeof rule);
        rule.data.category_mask = 1;
        rule.data.priority = count - i;
        rule.data.userdata = i + 1;
        rule.field[PROTOCOL].value.u8 = rules[0];
        rule.field[PROTOCOL].mask_range.u8 = rules[0] ? 0xFF : 0;
        rule.field[DEST].value.u32 = rules[1];
        rule.field[DEST].mask_range.u32 = rules[2];
        rule.field[SOURCE_PORT].mask_range.u16 = 0xFFFF;
        rule.field[DEST_PORT].value.u16 = rules[3];
        rule.field[DEST_PORT].mask_range.u16 = rules[4];
        if (rte_acl_add_rules(context, (struct rte_acl_rule *)&rule, 1))
            return NULL;
    }
    memset(&config, 0, sizeof config);
    config.num_categories = 1;
    config.num_fields = FIELDS;
    memcpy(config.defs, fields, sizeof fields);
    return rte_acl_build(context, &config) ? NULL : context;
}

uint64_t acl_count(const struct rte_acl_ctx *context, const uint8_t *buffer, const int64_t *offsets,
                   const uint32_t *captured, const uint32_t *lengths, int64_t count) {
    uint64_t accepted = 0;
    const uint8_t *data[BATCH];
    uint32_t results[BATCH];
    (void)captured, (void)lengths;
    for (int64_t first = 0; first < count; first += BATCH) {
        int part = count - first < BATCH ? count - first : BATCH;
        for (int i = 0; i < part; i++)
            data[i] = buffer + offsets[first + i];
        rte_acl_classify(context, data, results, part, 1);
        for (int i = 0; i < part; i++)
            accepted += results[i] != 0;
    }
    return accepted;
}
