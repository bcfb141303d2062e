// Tooltips with words from files or people: Qt takes a text in which it sees a tag, as "<b>", for rich text.
#pragma once

#include <QString>
#include <QTextDocument>

namespace gapscope {

inline QString plainTip(const QString& words) {
    return Qt::mightBeRichText(words) ? Qt::convertFromPlainText(words, Qt::WhiteSpaceNormal) : words;
}

}  // namespace gapscope
