"""Transforms of audio: signals, filters, spectra."""
from tests.compat.table import case

WAVE = "wave(2, 30, step=0.31).asnumpy()"
for call in ("Gain(3.0)", "Vol(0.2)", "Vol(4.0, audio.GainType.POWER)", "Vol(-3.0, audio.GainType.DB)", "DBToAmplitude(2.0, 0.5)", "Contrast(50.0)", "DCShift(0.5)",
             "MuLawEncoding()", "MuLawEncoding(64)", *(f"Fade(4, 6, audio.FadeShape.{s})" for s in ("LINEAR", "HALF_SINE", "QUARTER_SINE", "LOGARITHMIC", "EXPONENTIAL")),
             "Resample(8, 6)", "Resample(16000, 22050)", "Resample(3, 2, audio.ResampleMethod.KAISER_WINDOW, 4, 0.9)", "Resample(16000, 16000)",
             "LFilter([1.0, 0.1, 0.3], [0.4, 0.2, 0.1])", "LFilter([2.0, 0.1, 0.3], [4.0, 0.2, 0.1], False)", "Biquad(0.01, 0.02, 0.13, 1.0, 0.12, 0.3)",
             "AllpassBiquad(8000, 200.0)", "BandBiquad(8000, 200.0)", "BandBiquad(8000, 200.0, noise=True)", "BandpassBiquad(8000, 200.0)",
             "BandpassBiquad(8000, 200.0, 0.5, True)", "BandrejectBiquad(8000, 200.0)", "BassBiquad(8000, 20.0)", "TrebleBiquad(8000, 20.0)", "EqualizerBiquad(8000, 400.0, 3.0)",
             "HighpassBiquad(8000, 1000.0)", "LowpassBiquad(8000, 1000.0)", "DeemphBiquad(44100)", "RiaaBiquad(44100)",
             "Spectrogram(8)", "Spectrogram(8, 6, 2, 3, audio.WindowType.HAMMING, 1.0, True)", "Spectrogram(8, center=False, onesided=False)", "Spectrogram(8, power=0.0)",
             "Spectrogram(8, window=audio.WindowType.BLACKMAN, pad_mode=audio.BorderType.EDGE)", "Spectrogram(8, window=audio.WindowType.BARTLETT)",
             "SpectralCentroid(8000, 8)", "MelSpectrogram(8000, 16, n_mels=4)", "MelSpectrogram(8000, 16, n_mels=4, norm=audio.NormType.SLANEY, mel_scale=audio.MelType.SLANEY)"):
    case(f"audio.{call}({WAVE})", scale=100)
SPECTRUM = "positive(2, 9, 5).asnumpy()"
for call in ("MelScale(4, 8000, n_stft=9)", "MelScale(3, 8000, 100.0, 3000.0, 9, audio.NormType.SLANEY, audio.MelType.SLANEY)", "AmplitudeToDB()", "AmplitudeToDB(audio.ScaleType.MAGNITUDE, 0.5, 0.1, 3.0)",
             "FrequencyMasking(False, 2, 1)", "FrequencyMasking(False, 3, 0, 5.0)", "TimeMasking(False, 2, 1)", "GriffinLim(16, 4, rand_init=False)", "GriffinLim(16, 3, 12, 5, power=1.0, momentum=0.0, length=20, rand_init=False)"):
    case(f"audio.{call}({SPECTRUM})", scale=100)
for call in ("FrequencyMasking(True, 4)", "TimeMasking(True, 3)", "GriffinLim(16, 3)"):
    case(f"a = audio.{call}({SPECTRUM}); [a.shape, str(a.dtype)]")
case("a = audio.InverseMelScale(9, 4, 8000, max_iter=100)(positive(2, 4, 5).asnumpy()); [a.shape, str(a.dtype), bool((a >= 0).all())]")
case("mel = audio.MelScale(3, 8000, n_stft=9); a = mel(positive(1, 9, 5).asnumpy()); found = audio.InverseMelScale(9, 3, 8000)(a); bool(abs(mel(found) - a).max() < 0.05)")
case("audio.MuLawDecoding()(ints(2, 6, below=256).asnumpy())", scale=10)
PAIRS = "wave(3, 4, 2).asnumpy()"
for call in ("Angle()", "ComplexNorm(2.0)", "Magphase(0.5)"):
    case(f"audio.{call}({PAIRS})", scale=10)
case("audio.melscale_fbanks(9, 50.0, 3000.0, 4, 8000)", scale=100)
case("audio.linear_fbanks(9, 50.0, 3000.0, 4, 8000)", scale=100)
case("[audio.create_dct(3, 5, audio.NormMode.ORTHO), audio.create_dct(3, 5)]", scale=10)
case("audio.MFCC(8000, 3, melkwargs=dict(n_fft=16, win_length=16, hop_length=8, f_min=0.0, f_max=4000.0, pad=0, n_mels=4, window=audio.WindowType.HANN, power=2.0, normalized=False, center=True, pad_mode=audio.BorderType.REFLECT, onesided=True, norm=audio.NormType.NONE, mel_scale=audio.MelType.HTK))(wave(1, 30).asnumpy())", scale=1000)
case("[m.name for kind in (audio.BorderType, audio.FadeShape, audio.GainType, audio.MelType, audio.NormMode, audio.NormType, audio.ResampleMethod, audio.ScaleType, audio.WindowType) for m in kind]")
case("[audio.WindowType.HANN.value, audio.WindowType.HAMMING.value, audio.ScaleType.POWER.value]")
for wrong in ("Resample(0, 5)", "Vol(-1.0)", "Contrast(101.0)", "LFilter([1.0], [1.0, 2.0])", "BassBiquad(0, 1.0)", "DeemphBiquad(8000)", "AmplitudeToDB(amin=0.0)", "MelScale(f_min=9.0, f_max=3.0)"):
    case(f"audio.{wrong}", fails=True)
case("audio.FrequencyMasking(False, 20)(positive(2, 9, 5).asnumpy())", fails=True)
