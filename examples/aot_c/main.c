/* Recognises handwritten digits with a net that graphcore compiled: see net.py and the Makefile.
 *
 *     ./digits build/test.bin
 *
 * It needs digits.so and the C library, and no Python. */
#include "digits.h"

#include <stdio.h>
#include <stdlib.h>

enum { PIXELS = 64, CLASSES = 10, BATCH = 32 };

/* Read up to `most` images and their labels; returns how many there were. */
static int read_batch(FILE *file, int most, float *images, int32_t *labels)
{
    int count = 0;
    while (count < most && fread(images + count * PIXELS, sizeof(float), PIXELS, file) == PIXELS
           && fread(labels + count, sizeof(int32_t), 1, file) == 1)
        count++;
    return count;
}

static int most_probable(const float *probabilities)
{
    int best = 0;
    for (int digit = 1; digit < CLASSES; digit++)
        if (probabilities[digit] > probabilities[best])
            best = digit;
    return best;
}

static void draw(const float *image)
{
    for (int pixel = 0; pixel < PIXELS; pixel++)
        printf("%c%s", " .:+#@@@@"[(int)(image[pixel] * 8)], pixel % 8 == 7 ? "\n" : "");
}

int main(int argc, char **argv)
{
    static float images[BATCH * PIXELS], probabilities[BATCH * CLASSES];
    static int32_t labels[BATCH];
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    int32_t total = 0;
    if (file == NULL || fread(&total, sizeof total, 1, file) != 1) {
        fprintf(stderr, "usage: %s test.bin\n", argv[0]);
        return EXIT_FAILURE;
    }

    digits *model;
    digits_options options = {.max_N = BATCH};
    int status = digits_create(&model, &options);
    int seen = 0, right = 0;
    while (status == 0) {
        int count = read_batch(file, BATCH, images, labels);
        if (count == 0)
            break;
        status = digits_run(model, count, images, probabilities);
        for (int i = 0; status == 0 && i < count; i++) {
            int digit = most_probable(probabilities + i * CLASSES);
            if (seen < 3) {
                draw(images + i * PIXELS);
                printf("this is a %d (%.1f %%); it was meant as a %d\n\n", digit,
                       100 * (double)probabilities[i * CLASSES + digit], (int)labels[i]);
            }
            right += digit == labels[i];
            seen++;
        }
    }
    if (status != 0)
        fprintf(stderr, "%s\n", digits_error(status));
    else
        printf("%d of %d right\n", right, (int)total);
    digits_destroy(model);
    fclose(file);
    return status == 0 && seen == total ? EXIT_SUCCESS : EXIT_FAILURE;
}
