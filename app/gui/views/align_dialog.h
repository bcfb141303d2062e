// How files that are open together meet in time: their wall clocks, their first device operations, or the first time
// that something of one name begins in each.
#pragma once

#include <QDialog>

#include "app/gui/session/document.h"

class QComboBox;
class QPushButton;
class QRadioButton;

namespace gapscope {

class Label;

// "by their wall clocks", "by their first device operations", "where forward first begins"
QString alignmentText(const FilesTogether& files);

class AlignDialog : public QDialog {
    Q_OBJECT

public:
    explicit AlignDialog(const FilesTogether& files, QWidget* parent = nullptr);

Q_SIGNALS:
    void chosen(const JoinAlignment& alignment);

private:
    JoinAlignment alignment() const;
    void showState();

    const FilesTogether m_files;
    QRadioButton* m_byClock;
    QRadioButton* m_byWork;
    QRadioButton* m_byName;
    QComboBox* m_name;
    Label* m_note;
    QPushButton* m_align;
};

}  // namespace gapscope
