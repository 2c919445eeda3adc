/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fuzz_reference.c - reference files, hostile strings and measurement values of any content.
 *
 * A file that is read must compare without a fault, and say so the same way
 * twice; a string that was made safe must be safe by its own measure. */
#include "measure.h"
#include "reference.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fact)
{
    if (!fact) abort();
}

static void compare(const struct spdm_reference *reference, struct spdm_span value)
{
    struct spdm_measurement m[22];
    for (uint8_t i = 0; i < 22; i++)
        m[i] = (struct spdm_measurement){
            .index = (uint8_t)(i + 1), .type = i % 11, .raw = i >= 11, .value = {value.p, value.n > 64 ? 64 : value.n}};
    struct spdm_comparand what = {.m = m, .n = 22, .hash = SPDM_SHA_256};
    struct spdm_comparison a, b;
    spdm_reference_compare(reference, &what, &a);
    spdm_reference_compare(reference, &what, &b);
    require(a.same + a.different + a.extra + a.allowed == 22);
    require(spdm_comparison_good(&a) == spdm_comparison_good(&b));
    for (unsigned i = 0; i < 256; i++) {
        require(a.at[i].match == b.at[i].match);
        require((a.at[i].match == SPDM_MATCH_DIFFERENT) <= (a.at[i].expected != NULL || a.at[i].why != NULL));
    }
    spdm_comparison_clear(&a);
    spdm_comparison_clear(&b);
}

static void words(struct spdm_span bytes)
{
    char *safe = spdm_text_safe(bytes);
    require(bytes.n == 0 || spdm_text_readable((struct spdm_span){(const uint8_t *)safe, strlen(safe)}));
    (void)spdm_text_width(safe);
    free(safe);
    for (uint8_t type = 0; type < 12; type++) {
        struct spdm_measurement m = {.index = 1, .type = type, .raw = true, .value = bytes};
        struct spdm_value v = spdm_value_of(&m);
        char *text = spdm_value_words(&v);
        require(text[0] == '\0' || spdm_text_readable((struct spdm_span){(const uint8_t *)text, strlen(text)}));
        free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[SPDM_REFERENCE_ERROR] = "";
    struct spdm_span all = {data, size};
    struct spdm_reference *reference = spdm_reference_parse("fuzz", all, error);
    require((reference == NULL) == (error[0] != '\0'));
    if (reference != NULL) compare(reference, all);
    spdm_reference_free(reference);
    words(all);
    return 0;
}
