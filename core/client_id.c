/* The client order id of a decision: "cg-" and a digest of account and decision id, nothing else.
 *
 * Invariant (2): no clock, process or chance goes in, so every life of the OMS derives the same id.
 * Base 32 carries 5 bits a character: 33 characters after the prefix keep 160 bits and more. */
#include "core/client_id.h"

#include "core/check.h"
#include "core/sha256.h"

#include <string.h>

enum { BITS_PER_CHARACTER = 5 };
static const char prefix[] = CLIENT_ID_PREFIX;
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

void oms_client_order_id(const char *account, const char *decision_id, size_t max_length,
                         char out[BROKER_CLIENT_ID_SIZE]) {
    const size_t prefix_length = sizeof prefix - 1;
    const size_t whole = prefix_length + SHA256_SIZE * 8 / BITS_PER_CHARACTER;
    const size_t length = max_length < whole ? max_length : whole;
    unsigned char digest[SHA256_SIZE];
    struct sha256 sha;
    unsigned held = 0, bits = 0;
    size_t taken = 0;

    CHECK(length >= CLIENT_ID_SHORTEST && length < BROKER_CLIENT_ID_SIZE);
    sha256_start(&sha);
    /* the closing zero separates the two, so that no other pair gives the same bytes */
    sha256_add(&sha, account, strlen(account) + 1);
    sha256_add(&sha, decision_id, strlen(decision_id));
    sha256_finish(&sha, digest);

    memcpy(out, prefix, prefix_length);
    for (size_t i = prefix_length; i < length; i++) {
        if (bits < BITS_PER_CHARACTER) {
            held = (held << 8 | digest[taken++]) & 0xfff;
            bits += 8;
        }
        bits -= BITS_PER_CHARACTER;
        out[i] = alphabet[held >> bits & 31];
    }
    out[length] = '\0';
}

bool client_id_is_derived(const char *account, const struct oms_order *order) {
    const size_t length = strlen(order->client_order_id);
    char derived[BROKER_CLIENT_ID_SIZE];

    if (length < CLIENT_ID_SHORTEST) {
        return false;
    }
    oms_client_order_id(account, order->decision.id, length, derived);
    return strcmp(derived, order->client_order_id) == 0;
}

bool client_id_is_ours(const char *client_order_id) {
    return strncmp(client_order_id, prefix, sizeof prefix - 1) == 0;
}
