#include "app/gui/theme.h"

#include <algorithm>
#include <cmath>

#include "core/base/palette.h"

namespace gapscope {

namespace {

QColor rgb(uint32_t value) {
    return QColor::fromRgb(value);
}

// Keeps the hue, lowers the lightness: bright colours glare on a dark ground, dark ones must stay visible.
QColor onDark(const QColor& color) {
    constexpr double kFloor = 0.35;
    constexpr double kSlope = 0.62;
    float hue = 0, saturation = 0, lightness = 0;
    color.getHslF(&hue, &saturation, &lightness);
    if (lightness > kFloor) lightness = static_cast<float>(kFloor + (lightness - kFloor) * kSlope);
    return QColor::fromHslF(std::max(hue, 0.0F), saturation, lightness);
}

Theme makeLight() {
    Theme t;
    t.background = rgb(0xFFFFFF);
    t.backgroundBand = rgb(0xF7F8FA);
    t.headerBackground = rgb(0xF0F2F5);
    t.line = rgb(0xE1E5EA);
    t.lineStrong = rgb(0xB9C1CB);
    t.text = rgb(0x1C2128);
    t.mutedText = rgb(0x59636E);
    t.accent = rgb(0x0B57D0);
    t.selectionFill = QColor(0x0B, 0x57, 0xD0, 22);
    t.hover = rgb(0x1C2128);
    t.launchLink = rgb(0x0E8A7D);
    t.found = rgb(0xB3261E);
    t.note = rgb(0x8A5A00);
    t.apiLaunch = rgb(0x8DA3BF);
    t.apiCopy = rgb(0xA9A9A9);
    t.apiWait = rgb(0xDCC9A3);
    t.apiOther = rgb(0xCFD6DE);
    for (size_t i = 0; i < t.range.size(); ++i)
        t.range[i] = rgb(kRangeColors[i]);
    t.prefill = rgb(kPrefillColor);
    t.token = {rgb(kTokenColors[0]), rgb(kTokenColors[1])};
    t.counterLine = rgb(0x37699B);
    t.counterFill = rgb(0xD6E3F0);
    // None is never drawn. Grey and blue-grey for what is no trouble, then amber, red and wine.
    t.clockLimits = {rgb(0xFFFFFF), rgb(0xDDE2E8), rgb(0x9FB0C3), rgb(0xA8A8A8),
                     rgb(0xE0B040), rgb(0xC8402E), rgb(0x7D1D3F)};

    // Okabe-Ito, then five of Paul Tol's muted scheme: hues that people with colour blindness tell apart, by lightness
    // where not by hue.
    t.names = {rgb(0x0072B2), rgb(0xE69F00), rgb(0x009E73), rgb(0xCC79A7), rgb(0x56B4E9), rgb(0xD55E00),
               rgb(0xF0E442), rgb(0x332288), rgb(0x882255), rgb(0x44AA99), rgb(0x999933), rgb(0xDDCC77)};
    // One hue's lightness falls and turns towards red: cividis-like, read without telling red from green.
    t.latencies = {rgb(0xFDF3C0), rgb(0xF9E395), rgb(0xF4D166), rgb(0xEDB94A), rgb(0xE29C3B),
                   rgb(0xD07F3A), rgb(0xB5623F), rgb(0x934A46), rgb(0x6E3648), rgb(0x472440)};
    t.noLatency = rgb(0xC9CDD2);

    for (size_t i = 0; i < t.categories.size(); ++i)
        t.categories[i] = rgb(kCategoryColors[i]);
    for (size_t i = 0; i < t.gapCauses.size(); ++i)
        t.gapCauses[i] = rgb(kGapCauseColors[i]);
    return t;
}

Theme makeDark() {
    Theme t = makeLight();
    t.dark = true;
    t.background = rgb(0x16191D);
    t.backgroundBand = rgb(0x1A1E23);
    t.headerBackground = rgb(0x20252B);
    t.line = rgb(0x2B3138);
    t.lineStrong = rgb(0x475059);
    t.text = rgb(0xE4E7EB);
    t.mutedText = rgb(0x9BA5B0);
    t.accent = rgb(0x6EA8FE);
    t.selectionFill = QColor(0x6E, 0xA8, 0xFE, 30);
    t.hover = rgb(0xFFFFFF);
    t.launchLink = rgb(0x3CC7B5);
    t.found = rgb(0xFF8A80);
    t.note = rgb(0xF2C14E);
    t.apiLaunch = rgb(0x566C88);
    t.apiCopy = rgb(0x6B6B6B);
    t.apiWait = rgb(0x7D6C47);
    t.apiOther = rgb(0x46505B);
    t.range = {rgb(0x34485E), rgb(0x37503A), rgb(0x4B3F57), rgb(0x54492F)};
    t.prefill = rgb(0x66558C);
    t.token = {rgb(0x3A4678), rgb(0x4B5A99)};
    t.counterLine = rgb(0x6FA3D8);
    t.counterFill = rgb(0x24364A);
    t.clockLimits = {rgb(0x000000), rgb(0x333A42), rgb(0x4C5B6C), rgb(0x666C73),
                     rgb(0x9A7420), rgb(0xA5382A), rgb(0x8A2E50)};
    for (QColor& color : t.categories)
        color = onDark(color);
    for (QColor& color : t.names)
        color = onDark(color);
    t.names[7] = rgb(0x6A5ACD);  // indigo and wine are too dark for the ground
    t.names[8] = rgb(0xA8476F);
    // Long is what stands out: the scale is turned round.
    std::ranges::reverse(t.latencies);
    t.noLatency = rgb(0x4A525B);
    for (QColor& color : t.gapCauses)
        color = onDark(color);
    // Grey has no hue to keep: a lower lightness tells it from the coloured causes.
    t.gapCauses[static_cast<size_t>(GapCause::DeviceLatency)] = rgb(0x6E747B);
    t.gapCauses[static_cast<size_t>(GapCause::Unknown)] = rgb(0x666C73);
    return t;
}

double luminance(const QColor& color) {
    const auto linear = [](double c) { return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

}  // namespace

const Theme& Theme::light() {
    static const Theme theme = makeLight();
    return theme;
}

const Theme& Theme::darkTheme() {
    static const Theme theme = makeDark();
    return theme;
}

const Theme& Theme::of(const QPalette& palette) {
    return palette.color(QPalette::Window).lightnessF() < 0.5 ? darkTheme() : light();
}

double contrastRatio(const QColor& a, const QColor& b) {
    const double first = luminance(a);
    const double second = luminance(b);
    return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

QColor mixed(const QColor& color, const QColor& ground, double groundShare) {
    const auto mix = [groundShare](int a, int b) {
        return static_cast<int>(std::lround(a * (1 - groundShare) + b * groundShare));
    };
    return QColor(mix(color.red(), ground.red()), mix(color.green(), ground.green()), mix(color.blue(), ground.blue()));
}

QColor textOn(const QColor& background) {
    return contrastRatio(background, Qt::black) >= contrastRatio(background, Qt::white) ? QColor(Qt::black)
                                                                                        : QColor(Qt::white);
}

}  // namespace gapscope
