# The numbers that tables, columns and results are made of, and `constants`, which hands them out.
#
# Contract: what Python knows too is the same there: program/opcodes.py (OP_, INTO_, the flags),
# frames/columns.py (columns and their bits), program/lookup.py; tests/program/test_opcodes.py
# compares every level that was built.  A number that only one part uses stands in that part; the
# sizes in the first list are also those of the structures in types.pxi.

cdef enum:
    BLOCK = 1024        # frames a block; program state of one block stays in the first cache
    SOON = 32           # frames ahead of the one decoded whose headers are fetched
    CHUNK = 256         # frames decoded at a time, so that their headers stay there too
    ETHERNET = 14       # bytes of an Ethernet header
    FAST = 54           # captured bytes that hold Ethernet, IPv4 without options and TCP
    MAX_COLUMNS = 1024
    LINE = 64           # bytes of a cache line
    WORDS = BLOCK // 64  # a fact about the frames of a block: a bit a frame
    CHAINS = 16         # places of the input followed at once, so that their cache misses overlap
    LOOKUP_COLUMNS = 16
    CODES = 5           # results: NO_MATCH to SUPER_ACCEPT
    CODE_BITS = 3

cdef enum:
    OP_END, OP_SECTION, OP_TEST, OP_CONST, OP_RANDOM, OP_TAGS, OP_ARMED, OP_TERM, OP_SAVED
    OP_SAVE, OP_ARM_SKIP, OP_READ, OP_DROP, OP_ACCEPT, OP_BREAK, OP_PRIORITY, OP_COPY
    OP_REDIRECT, OP_LOOKUP

cdef enum:
    INTO_AND_SET, INTO_OR_SET, INTO_TERM, INTO_AND_TERM, INTO_OR_TERM

cdef enum:
    NEGATE = 8
    ALTERNATIVE = 16
    SKIPPABLE = 32
    FREE = 64

cdef enum:
    KIND = 0
    CHARACTERISTICS = 1
    PROTOCOL = 2
    TOS = 3
    ICMP_TYPE = 4
    ICMP_CODE = 5
    OWNERSHIP = 6
    ETHERTYPE = 8
    VLAN = 9
    SOURCE_PORT = 10
    DEST_PORT = 11
    TCP_FLAGS = 12
    LENGTH = 16
    IP4_SOURCE = 17
    IP4_DEST = 18
    MISSING = 19
    IP6_SOURCE_HIGH = 24
    IP6_SOURCE_LOW = 25
    IP6_DEST_HIGH = 26
    IP6_DEST_LOW = 27
    MAC_SOURCE = 28
    MAC_DEST = 29
    AUTH_HIGH = 30
    AUTH_LOW = 31
    ZT_SOURCE = 32
    ZT_DEST = 33
    NODE = 34
    FIRST_OWN = 40

cdef enum:
    KIND_IPV4 = 1
    KIND_IPV6 = 2
    KIND_PROTOCOL = 4
    KIND_SOURCE_PORT = 8
    KIND_DEST_PORT = 16
    KIND_ICMP = 32

cdef enum:
    CHR_MULTICAST = 1
    CHR_BROADCAST = 2
    CHR_AUTH_ADDRESS = 4
    CHR_AUTH_ALWAYS = 8
    CHR_AUTH_IPV6 = 16

cdef enum:
    OWNED_IP = 1
    OWNED_MAC = 2

cdef enum:
    READ_ETHERTYPE = 1
    READ_MAC_DEST = 2
    READ_MAC_SOURCE = 4
    READ_IP_SOURCE = 8
    READ_IP_DEST = 16
    READ_TOS = 32
    READ_PROTOCOL = 64
    READ_SOURCE_PORT = 128
    READ_DEST_PORT = 256
    READ_ICMP = 512
    READ_TCP_FLAGS = 1024
    READ_AUTH_ADDRESS = 2048
    READ_INTEGER = 4096
    ASSUMED_OWNERSHIP = 1 << 13
    ASSUMED_TAGS = 1 << 14
    ASSUMED_ADDRESS = 1 << 15
    MISSING_OWNED_IP = 1 << 16
    MISSING_OWNED_MAC = 1 << 17
    MISSING_LOCAL_TAGS = 1 << 18
    MISSING_REMOTE_TAGS = 1 << 19
    MISSING_ADDRESSES = 1 << 20
    MISSING_IP6_SOURCE = 1 << 21
    MISSING_IP6_DEST = 1 << 22

cdef enum:
    NO_MATCH, DROP, REDIRECT, ACCEPT, SUPER_ACCEPT

cdef enum:  # what a scan says of a frame beside its results
    UNDIRECTED = 1
    STRANGER = 2


def constants():
    """The numbers this module was written with, for the test that compares them."""
    return {
        "ops": [OP_END, OP_SECTION, OP_TEST, OP_CONST, OP_RANDOM, OP_TAGS, OP_ARMED, OP_TERM,
                OP_SAVED, OP_SAVE, OP_ARM_SKIP, OP_READ, OP_DROP, OP_ACCEPT, OP_BREAK, OP_PRIORITY,
                OP_COPY, OP_REDIRECT, OP_LOOKUP],
        "instruction": sizeof(Instruction),
        "columns": [KIND, CHARACTERISTICS, PROTOCOL, TOS, ICMP_TYPE, ICMP_CODE, OWNERSHIP, ETHERTYPE,
                    VLAN, SOURCE_PORT, DEST_PORT, TCP_FLAGS, LENGTH, IP4_SOURCE, IP4_DEST, MISSING,
                    IP6_SOURCE_HIGH, IP6_SOURCE_LOW, IP6_DEST_HIGH, IP6_DEST_LOW, MAC_SOURCE,
                    MAC_DEST, AUTH_HIGH, AUTH_LOW, ZT_SOURCE, ZT_DEST, NODE],
        "widths": [width_of(column) for column in range(FIRST_OWN)],
        "block": BLOCK,
        "lookup": [LOOKUP_COLUMNS, GROUP, BY_BYTE, BY_WORD, BY_TRIE, BY_SEARCH, SIEVE_BITS],
        "sieve": SIEVE_FACTOR,
        "into": [INTO_AND_SET, INTO_OR_SET, INTO_TERM, INTO_AND_TERM, INTO_OR_TERM],
        "flags": [NEGATE, ALTERNATIVE, SKIPPABLE, FREE],
        "kinds": [KIND_IPV4, KIND_IPV6, KIND_PROTOCOL, KIND_SOURCE_PORT, KIND_DEST_PORT, KIND_ICMP],
        "chr": [CHR_MULTICAST, CHR_BROADCAST, CHR_AUTH_ADDRESS, CHR_AUTH_ALWAYS, CHR_AUTH_IPV6],
        "owned": [OWNED_IP, OWNED_MAC],
        "results": [NO_MATCH, DROP, REDIRECT, ACCEPT, SUPER_ACCEPT],
        "marks": [UNDIRECTED, STRANGER],
        "reads": [READ_ETHERTYPE, READ_MAC_DEST, READ_MAC_SOURCE, READ_IP_SOURCE, READ_IP_DEST,
                  READ_TOS, READ_PROTOCOL, READ_SOURCE_PORT, READ_DEST_PORT, READ_ICMP,
                  READ_TCP_FLAGS, READ_AUTH_ADDRESS, READ_INTEGER,
                  ASSUMED_OWNERSHIP, ASSUMED_TAGS, ASSUMED_ADDRESS],
        "missing": [MISSING_OWNED_IP, MISSING_OWNED_MAC, MISSING_LOCAL_TAGS, MISSING_REMOTE_TAGS,
                    MISSING_ADDRESSES, MISSING_IP6_SOURCE, MISSING_IP6_DEST],
    }
