// Tooltips with words from files or people: Qt takes a text in which it sees a tag, as "<b>", for rich text, and breaks
// no line of a plain one.
#pragma once

#include <QString>
#include <QTextDocument>

namespace gapscope {

inline QString plainTip(const QString& words) {
    return Qt::mightBeRichText(words) ? Qt::convertFromPlainText(words, Qt::WhiteSpaceNormal) : words;
}

// Of sentences, which would reach across the screen.
inline QString wrappedTip(const QString& words) {
    constexpr qsizetype kLongest = 90;  // characters
    QString wrapped = words;
    qsizetype lineStart = 0, lastSpace = -1;
    for (qsizetype i = 0; i < wrapped.size(); ++i) {
        if (wrapped[i] == QLatin1Char('\n')) {
            lineStart = i + 1;
            lastSpace = -1;
        } else if (wrapped[i] == QLatin1Char(' ')) {
            lastSpace = i;
        }
        if (i - lineStart < kLongest || lastSpace < 0) continue;
        wrapped[lastSpace] = QLatin1Char('\n');
        lineStart = lastSpace + 1;
        lastSpace = -1;
    }
    return plainTip(wrapped);
}

}  // namespace gapscope
