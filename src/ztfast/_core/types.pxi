# The structures that the parts share.
#
# Contract: Instruction is program.opcodes.INSTRUCTION byte for byte.  What owns memory is a Work, a
# Machine's look-ups and the Totals of a call; every other pointer is into one of them, or into a
# numpy array that the caller keeps alive as long as the structure is used.  A Work is used by one
# call at a time, so nothing here is locked.

ctypedef const uint8_t *bytes_t

cdef struct Instruction:
    uint8_t op
    uint8_t flags
    uint16_t column
    int32_t entry
    int32_t jump
    int32_t other
    uint64_t mask
    uint64_t low
    uint64_t span

# Where a batch's frames are, and what was given of their headers when they are not Ethernet.
cdef struct Frames:
    bytes_t buffer
    const int64_t *offsets
    const uint32_t *captured
    const uint32_t *lengths
    int ethernet
    const uint16_t *ethertype
    const uint16_t *vlan
    const uint64_t *mac_source
    const uint64_t *mac_dest
    const uint32_t *unknown

# The fields taken from every frame of a block; the padding keeps one frame's items in different
# sets of the first cache.
cdef struct Heads:
    uint32_t word[BLOCK + 16]   # bytes 12 … 15: ethertype, version and header length, TOS
    uint32_t source[BLOCK + 16]
    uint32_t dest[BLOCK + 16]
    uint16_t source_port[BLOCK + 32]
    uint16_t dest_port[BLOCK + 32]
    uint8_t protocol[BLOCK + 64]
    uint16_t other[BLOCK + 32]  # frames that are not IPv4 without options

# A block's header columns, and which of them are wanted.
cdef struct Columns:
    void *at[FIRST_OWN]
    uint8_t need[FIRST_OWN]
    Heads *heads

# A number a frame of a block, 0 none, as words of its bits: see numbers.pxi.
cdef struct Numbers:
    uint32_t used               # which bits any number has
    uint64_t bit[32][WORDS]

# A block's frames while a table is folded over them, a bit a frame; only `words` words of them
# hold frames, the rest is 0: a block that is not full costs what it holds.
cdef struct State:
    uint64_t live[WORDS]
    uint64_t set[WORDS]
    uint64_t term[WORDS]
    uint64_t saved[WORDS]
    uint64_t armed[WORDS]
    uint64_t skip[WORDS]
    uint64_t pending[WORDS]
    uint64_t apart[WORDS]       # frames whose entry stands in `looked_up`
    Numbers verdict             # (entry + 1) << CODE_BITS | code
    Numbers noted               # a copy's entry + 1, of the section that is folded
    Numbers base_copy           # and what is left of it: of the base rules, of a capability
    Numbers capability_copy
    Numbers reads               # bits of MISSING
    uint32_t missing            # those that any frame has
    const uint8_t *alike        # CHARACTERISTICS, where all frames have them, OWNED_IP those with
                                # an IPv4 address; NULL: the column says who has which
    int32_t looked_up[BLOCK]
    int words

# What the scalar decoder finds of one frame; `put` spreads it over the columns.
cdef struct Fields:
    uint8_t kind, chr, protocol, tos, icmp_type, icmp_code
    uint16_t ethertype, vlan, source_port, dest_port, tcp_flags
    uint32_t length, ip4_source, ip4_dest, missing
    uint64_t ip6[4]
    uint64_t mac_source, mac_dest, auth_high, auth_low

cdef struct LookupColumn:
    int column
    int form
    const uint16_t *classes     # BY_BYTE 256, BY_WORD 65536, BY_TRIE root and leaves, BY_SEARCH
    const uint64_t *bounds      # BY_SEARCH: first value of each class, ascending
    int64_t bound_count
    const uint64_t *rows        # words 64-bit numbers a class
    const uint8_t *sieve        # bits by hashed value, or NULL
    const uint64_t *summary     # one word a class: bit g is set where group g of its row is not zero

cdef struct Lookup:
    int columns
    int words
    LookupColumn column[LOOKUP_COLUMNS]
    const int32_t *entry        # by term
    const uint8_t *code

# A table and what runs beside it.
cdef struct Run:
    const Instruction *table
    const Lookup *lookups

# A MAC of a member; all ones: an empty slot.
cdef struct MacSlot:
    uint64_t mac
    int32_t member
    uint32_t pad

# An address, whose or which kind of it is looked for, and what is found; member 0: an empty slot.
cdef struct AddressSlot:
    uint64_t high
    uint64_t low
    int32_t who
    int32_t member

cdef struct AddressTable:
    const AddressSlot *slots
    uint64_t factor
    uint64_t last       # number of the last slot
    int shift

# A column of facts about members: values by member + 1, so that item 0 is for −1.
cdef struct MemberFact:
    int what
    int column
    const void *values

# The members as one direction's table asks for them (members.pxi).
cdef struct Members:
    const MacSlot *macs
    uint64_t mac_factor
    uint64_t mac_last
    int mac_shift
    AddressTable owned          # (address, member and kind): was it given to the member?
    AddressTable places         # (address, kind) → the member that alone was assigned it
    const uint64_t *address     # by member
    const uint32_t *first4      # by member: an IPv4 address that it owns, 0 none
    const uint8_t *unknown      # by member + 1: nothing is known of it
    int has_id                  # the network's id is known: MACs of its form tell addresses
    int32_t foreign             # who sends frames from other MACs: a member, 0 unknown, −1 nobody
    uint64_t octet
    uint64_t scramble
    const uint8_t *emulates     # by member: schemes of whose addresses it takes every one; or NULL
    uint64_t rfc4193_high       # the network's prefixes: of 88 bits
    uint64_t rfc4193_low
    uint64_t six_plane          # and of 40
    int asks_addresses
    int asks_ownership
    int owns_macs               # anybody was given a MAC
    uint8_t assumed             # bits of OWNERSHIP of a sender that is not known
    MemberFact *facts
    int fact_count

# Who is who in the frames of a block, or of a batch, seen from one side.
cdef struct Cast:
    const int32_t *local
    const int32_t *remote
    const int32_t *sender
    const uint64_t *node
    const uint64_t *zt_source
    const uint64_t *zt_dest
    const uint8_t *known        # are the addresses facts?

# One end of each frame of a block.
cdef struct End:
    int32_t member[BLOCK]
    uint64_t address[BLOCK]
    uint8_t known[BLOCK]

# Both ends; and of the sender's side, where a frame goes: nowhere in particular is −1 and 0.
cdef struct Ends:
    End source
    End dest
    int32_t remote[BLOCK]
    uint64_t beyond[BLOCK]
    uint8_t many[BLOCK]         # multicasts
    uint8_t undirected[BLOCK]   # these, what a member sends behind a bridge, what no node takes
    uint8_t marks[BLOCK]        # UNDIRECTED; STRANGER: from or for an address of no member
    uint8_t known_out[BLOCK]
    uint8_t known_in[BLOCK]

# One direction: its tables, its own columns, what it watches, where its results go.
cdef struct Side:
    Run fast
    Run slow
    void *at[MAX_COLUMNS]
    const void *given[MAX_COLUMNS]   # columns handed in, NULL where made here
    uint8_t constant[MAX_COLUMNS]    # the column handed in has one item for all
    uint8_t width[MAX_COLUMNS]
    int columns
    int handed          # any column was, that is not constant
    int copies          # columns of copies that are wanted: the base rules', a capability's
    int has_reads       # and the one of what was read
    int inbound
    int random
    int use_exact       # the slow table is to run everywhere
    int ownership       # OWNERSHIP is made here, from what is assumed
    uint8_t assumed     # its bits for a sender of whom nothing is known
    uint32_t watched    # bits of MISSING that the slow table looks at
    uint32_t context    # bits of MISSING that hold for every frame
    const Members *members      # NULL where every frame's context is the same
    const uint64_t *address     # by entry: where it redirects to, 0 nowhere; NULL: none redirects
    Cast cast           # of the batch, where the caller says who is who
    uint64_t seed
    int64_t first_number
    const int64_t *numbers
    uint32_t seen       # bits of MISSING that any block had
    int32_t *entry
    uint8_t *code
    int32_t *copy
    int32_t *capability_copy
    uint32_t *reads

# A block's results in columns of their own.
cdef struct Results:
    int32_t entry[BLOCK]
    uint8_t code[BLOCK]
    int32_t copy[BLOCK]
    int32_t capability_copy[BLOCK]
    uint32_t reads[BLOCK]

# What one round of all chains found: chain after chain, from the block's begin without gaps.
cdef struct Round:
    int64_t offsets[BLOCK]
    uint32_t captured[BLOCK + 16]
    uint32_t lengths[BLOCK + 16]

# Everything that one call works in: allocated once, used by one call at a time.
cdef struct Work:
    Results made[2]     # of a round's frames, on their way to where they are kept
    Results spare       # of a block that is not full
    uint32_t missing[BLOCK]
    uint32_t context[BLOCK]     # bits of MISSING that come from what is not known of members
    int64_t numbers[BLOCK]
    Ends ends
    Round round
    Heads heads
    State state
    Columns columns
    char *arena         # BLOCK 64-bit items for every column of every side
    void *whole         # what was allocated
    Side side[2]

# The input, and how its records look: those of a classic pcap, or, where a section has
# `interfaces`, the enhanced packet blocks of a pcapng.
cdef struct Input:
    bytes_t buffer
    int64_t end
    int swapped
    int header          # bytes before a frame
    uint32_t max_captured
    uint32_t interfaces

# One record: its frame, and where the next one starts.
cdef struct Record:
    int64_t body
    int64_t after
    uint32_t captured
    uint32_t length

# One place that is followed: it goes on until `limit`, where the next chain began.
cdef struct Cursor:
    int64_t place
    int64_t limit
    int64_t start
    int64_t count       # records kept or counted
    int fresh           # records of this round
    int stopped         # an incomplete or impossible record, or no place to keep it
    int error

# Where all chains are, and where what they find is kept, chain after chain, each in its own
# stretch of `capacity` items; columns of NULL where it is only counted.
cdef struct ScanState:
    Cursor chain[CHAINS]
    int chains
    int steps           # records that a chain may take in one round
    int64_t capacity        # records that a chain's stretch holds
    int64_t total_capacity  # and all stretches
    int ahead           # bytes to fetch ahead of a chain: more where records are short
    int64_t *offsets
    uint32_t *captured
    uint32_t *lengths
    uint8_t *mark           # a byte a record: is it undirected (a scan), does it stand apart
                            # (a count); NULL where it is not wanted

# What a followed frame sends (follow.pxi): at most so much, for so many hops, with so much room.
cdef enum:
    MOST_HOPS = 8
    MOST_SENT = 24
    QUEUE = 4 * BLOCK
    NOTES = 16 * BLOCK

# Something on its way: a frame of the round, cut to so many bytes of payload.
cdef struct Sent:
    int32_t to
    int32_t by
    uint32_t payload
    int32_t slot
    uint16_t frame

# What is to be counted, where its frame stays followed.
cdef struct Note:
    uint32_t key
    uint32_t octets
    uint16_t frame

# An engine.native_follow.FollowTables, what is counted by it, and what is on its way.
cdef struct Follow:
    bytes_t buffer
    const int32_t *slot         # by entry: which of the entries that send, −1 none of them
    const uint64_t *address     # by slot: the target, its member, the payload that is sent (0 all)
    const int32_t *member
    const uint32_t *length
    int slots
    int entries
    const uint64_t *macs        # by member
    const uint8_t *bridges
    const uint64_t *home        # by member: its address
    uint64_t *frames            # sent by a side and slot; then what became of it: see `fate_key`
    uint64_t *octets
    int64_t keys
    Work *inner                 # where what was sent is judged
    int queued
    int noted
    uint8_t sent[BLOCK]         # by frame of the round
    Sent queue[2][QUEUE]
    Note notes[NOTES]
    # a block of what was sent
    int64_t offsets[BLOCK]
    uint32_t captured[BLOCK + 16]
    uint32_t lengths[BLOCK + 16]
    int32_t local[BLOCK]
    int32_t remote[BLOCK]
    uint64_t node[BLOCK]
    uint64_t zt_source[BLOCK]
    uint8_t known[BLOCK]
    int32_t item[BLOCK]         # of the queue

# What is counted (count.pxi): frames and bytes by (entry + 1) * 5 + code, `receiver` keys further
# on where the receiver decided, and frames by what their verdicts read.
cdef struct Totals:
    uint64_t *frames
    uint64_t *octets
    uint64_t *reads     # by bits of model.reads.Reads, NULL where nothing is watched
    int64_t keys
    uint32_t receiver
    int forwards[2]     # by side: does any rule copy or redirect?
    int asks_recipients # undirected frames stand apart
    int keeps           # the records of accepted frames are kept, not only of those apart
    Follow *follow      # NULL where frames that are copied or redirected stay apart

# Who gets a frame that several do: a network.recipients.ClassColumns.
cdef struct Classes:
    const int64_t *kind         # by member: which kind of sender it is
    const int32_t *group        # by member, −1 none
    const int64_t *start        # by kind: where its recipients' classes stand, and how many
    const int64_t *counts
    const int64_t *own          # by group: which class of its own kind it is in
    const int32_t *second       # by group: the second member of that
    const int32_t *member       # by class: the lowest
    const int32_t *size
    const uint8_t *bridge       # by member: is it an active bridge?

# Who sends each of some frames, and whether these are for many or from a foreign MAC.
cdef struct Senders:
    int32_t *member
    uint64_t *address
    uint8_t *known
    uint8_t *marks

# One side's results on a batch, which recipients' own take the place of.
cdef struct Spoken:
    int inbound
    int32_t *entry
    uint8_t *code
    int32_t *copy
    int32_t *capability_copy
    uint32_t *reads

# Recipients that are asked (recipients.pxi): a block of rows, and what they make of their frames.
cdef struct Asking:
    Classes classes
    Senders senders
    Spoken said[2]
    const int64_t *number       # by frame: its number in the batch
    uint32_t *got               # by frame: how many members get it
    int32_t *best_of            # the recipient that stands for all
    int32_t *away_of            # the entry that sends it elsewhere for another, −1 none
    uint8_t *state
    int64_t open                # the frame whose rows come, −1 none, and what is known of it
    int best
    int best_away
    int32_t best_member
    int32_t away_member
    uint32_t read
    int rows
    int64_t item[BLOCK]
    int64_t place[BLOCK]
    int32_t to[BLOCK]
    int32_t by[BLOCK]
    int32_t size[BLOCK]
    uint64_t source[BLOCK]
    uint64_t home[BLOCK]
    uint8_t known[BLOCK]
    # the rows' frames
    int64_t offsets[BLOCK]
    uint32_t captured[BLOCK + 16]
    uint32_t lengths[BLOCK + 16]
    uint16_t ethertype[BLOCK]
    uint16_t vlan[BLOCK]
    uint64_t mac_source[BLOCK]
    uint64_t mac_dest[BLOCK]
    uint32_t unknown[BLOCK]
