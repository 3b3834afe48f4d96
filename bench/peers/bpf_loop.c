/* libpcap's interpreter over frames in memory: the loop that Python must not make.
   Built by bench/peers.py where libpcap's headers are installed. */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdlib.h>

struct bpf_program *bpf_make(const char *text, int snaplen) {
    struct bpf_program *program = malloc(sizeof *program);
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, snaplen);
    int failed = pcap_compile(dead, program, text, 1, PCAP_NETMASK_UNKNOWN);
    pcap_close(dead);
    return failed ? NULL : program;
}

uint64_t bpf_count(const struct bpf_program *program, const uint8_t *buffer, const int64_t *offsets,
                   const uint32_t *captured, const uint32_t *lengths, int64_t count) {
    uint64_t accepted = 0;
    for (int64_t i = 0; i < count; i++)
        accepted += bpf_filter(program->bf_insns, buffer + offsets[i], lengths[i], captured[i]) != 0;
    return accepted;
}
